"use strict";

const form = document.querySelector(".filters");
if (form) {
  const rows = [...document.querySelectorAll("#all tbody tr")];
  const shown = document.querySelector("#shown");
  const filter = () => {
    const text = form.querySelector("#text").value.toLowerCase();
    const wanted = [...form.querySelectorAll("select")].filter((select) => select.value);
    for (const row of rows) {
      const fits = wanted.every((select) => row.dataset[select.name] === select.value);
      row.hidden = !(fits && row.textContent.toLowerCase().includes(text));
    }
    shown.textContent = `${rows.filter((row) => !row.hidden).length} shown`;
  };
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
}

for (const button of document.querySelectorAll("button.copy")) {
  const text = button.previousElementSibling;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      // An insecure origin has no clipboard; the selected text can still be copied by hand.
      getSelection().selectAllChildren(text);
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}

// The step that went wrong is at the end of a script.
for (const script of document.querySelectorAll("details pre")) {
  const showEnd = () => { script.scrollTop = script.scrollHeight; };
  script.closest("details").addEventListener("toggle", showEnd);
  showEnd();
}
