"""How a file to import is sent: as it is."""

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def as_it_is(context, value):
    return {"data": value if isinstance(value, bytes) else str(value).encode(errors="replace")}
