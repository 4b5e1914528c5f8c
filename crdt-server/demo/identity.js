// Who this person is to the others: a name and a colour for each window, so that two windows
// of one browser are two people. A name that was chosen is kept for later windows.

const NAMES = ["Ada", "Alan", "Barbara", "Donald", "Edsger", "Frances", "Grace", "Leslie", "Nancy", "Radia", "Shafi", "Tony"];
export const COLORS = ["#c2255c", "#9c36b5", "#6741d9", "#3b5bdb", "#1971c2", "#0b7285", "#2b8a3e", "#b35c00"];

export function identity() {
  return {
    name: remembered("name", () => localStorage.getItem("name") || pick(NAMES)),
    color: remembered("color", () => pick(COLORS)),
  };
}

/** The name as it is kept; an empty one is no name. */
export function rememberName(name) {
  const chosen = name.trim();
  if (chosen === "") return identity().name;
  sessionStorage.setItem("name", chosen);
  localStorage.setItem("name", chosen);
  return chosen;
}

function remembered(key, choose) {
  const value = sessionStorage.getItem(key) ?? choose();
  sessionStorage.setItem(key, value);
  return value;
}

function pick(list) {
  return list[Math.floor(Math.random() * list.length)];
}
