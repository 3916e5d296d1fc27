"use strict";
(() => {
  const until = Date.parse(document.getElementById("until").dateTime);
  const left = document.getElementById("left");
  const tick = () => {
    const seconds = Math.floor((until - Date.now()) / 1000);
    if (seconds < 0) {
      left.textContent = "which has passed: reload this page";
      return;
    }
    const minutes = Math.floor(seconds / 60);
    const rest = String(seconds % 60).padStart(minutes ? 2 : 1, "0");
    left.textContent = `${minutes ? `${minutes} min ` : ""}${rest} s left`;
    setTimeout(tick, 1000);
  };
  tick();
})();
