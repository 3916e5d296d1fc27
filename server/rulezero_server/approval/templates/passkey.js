"use strict";
(() => {
  const data = document.currentScript.dataset;
  const options = JSON.parse(data.options);
  const form = document.getElementById(data.form);
  const button = document.getElementById("by-passkey");
  const message = document.getElementById("passkey-message");
  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const listed = (keys) => (keys || []).map((key) => ({ ...key, id: bytes(key.id) }));

  const ask = async () => {
    const publicKey = { ...options, challenge: bytes(options.challenge) };
    if (data.make) {
      publicKey.user = { ...options.user, id: bytes(options.user.id) };
      publicKey.excludeCredentials = listed(options.excludeCredentials);
      return navigator.credentials.create({ publicKey });
    }
    publicKey.allowCredentials = listed(options.allowCredentials);
    return navigator.credentials.get({ publicKey });
  };
  const written = (key) => {
    const response = { clientDataJSON: text(key.response.clientDataJSON) };
    for (const part of ["attestationObject", "authenticatorData", "signature"]) {
      if (key.response[part]) response[part] = text(key.response[part]);
    }
    return JSON.stringify({
      id: key.id, rawId: text(key.rawId), type: key.type, response, clientExtensionResults: {},
    });
  };

  form.addEventListener("submit", async (event) => {
    if (event.submitter !== button) return;
    event.preventDefault();
    for (const field of form.querySelectorAll("[data-needed]")) {
      if (!field.reportValidity()) return;
    }
    message.textContent = "";
    button.disabled = true;
    try {
      document.getElementById("signed").value = written(await ask());
      const pin = document.getElementById("pin");
      if (pin) pin.value = "";
      form.submit();
    } catch (error) {
      message.textContent =
        `The passkey was not used (${error.name}). Nothing was changed. Try again, or decline.`;
      button.disabled = false;
      button.focus();
    }
  });
  if (window.PublicKeyCredential) button.hidden = false;
  else message.textContent = "This browser cannot use passkeys.";
})();
