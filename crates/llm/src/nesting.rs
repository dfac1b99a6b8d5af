//! Finds where a streamed JSON object or list ends.

/// Counts brackets without parsing, so that a long text costs linear time.
#[derive(Debug, Default)]
pub(crate) struct Nesting {
    depth: usize,
    in_string: bool,
    escaped: bool,
    closed: bool,
}

impl Nesting {
    /// Takes the next bytes. If the value ends in them, returns after how many; the rest is not taken.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Option<usize> {
        for (position, byte) in bytes.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.closed = true;
                        return Some(position + 1);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// Whether the value has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }
}
