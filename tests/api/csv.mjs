// CSV for tests: reads what the product ships, writes what a test imports.

/// Rows of cells, each row with the number of the line it starts on.
export function rowsOf(text) {
  const rows = [];
  let cells = [], cell = "", quoted = false, line = 1, start = 1;
  for (let i = 0; i < text.length; ++i) {
    const c = text[i];
    if (c === "\n") line += 1;
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') cell += text[++i];
      else quoted = false;
    } else if (c === '"') quoted = true;
    else if (c === "," || c === "\n") {
      cells.push(cell);
      cell = "";
      if (c === "\n") {
        rows.push({ line: start, cells });
        cells = [];
        start = line;
      }
    } else if (c !== "\r") cell += c;
  }
  return rows;
}

export function csvOf(header, rows) {
  const quote = (cell) => (/[",\n]/.test(cell) ? `"${String(cell).replaceAll('"', '""')}"` : cell);
  return [header, ...rows].map((cells) => cells.map(quote).join(",")).join("\n") + "\n";
}
