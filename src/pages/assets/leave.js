/* Goes on once every frame has loaded (only then has the page), and after two seconds in any case. */
"use strict";
(() => {
  const next = document.getElementById("next");
  const go = () => location.replace(next.href);
  addEventListener("load", go, { once: true });
  setTimeout(go, 2000);
})();
