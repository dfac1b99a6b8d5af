// Says in words that the page's program does not start. It is written for browsers of any age, as it must run
// where the program does not.
(function () {
  var root = document.documentElement;
  var note;
  function say(why) {
    if (root.hasAttribute("data-hydrated") || document.querySelector(".top-banner")) return;
    if (!document.body) return document.addEventListener("DOMContentLoaded", function () { say(why); });
    root.setAttribute("data-start", "failed");
    if (!note) {
      note = document.createElement("p");
      note.className = "start-note";
      note.setAttribute("role", "alert");
      // At the end: the program expects its own elements first.
      document.body.appendChild(note);
    }
    note.textContent = why + " Until then it only shows how things stood when it was opened, and nothing on it can be used. Runs go on.";
  }
  function failed() {
    say(typeof WebAssembly === "undefined"
      ? "This page needs WebAssembly, which this browser does not have or is told not to use. Allow it for this address, then reload the page."
      : "The program of this page could not be loaded or started: something blocks its files, or the connection broke off. Reload the page; if that does not help, ask whoever runs the proxy or the extension that filters this address.");
  }
  addEventListener("unhandledrejection", failed);
  addEventListener("error", failed);
  setTimeout(function () {
    say("The program of this page has not started for 20 seconds. It may still come; else reload the page.");
  }, 20000);
  // The large parts of the program are fetched once what is read is painted: on a slow line they would be in its way.
  requestAnimationFrame(function () {
    setTimeout(function () {
      document.querySelectorAll("link[rel=part]").forEach(function (link) { link.rel = "preload"; });
    });
  });
  // A browser that refuses to change its address so often must not end the program.
  ["pushState", "replaceState"].forEach(function (name) {
    var change = history[name];
    history[name] = function () {
      try {
        return change.apply(history, arguments);
      } catch (refused) {
        return undefined;
      }
    };
  });
})();
