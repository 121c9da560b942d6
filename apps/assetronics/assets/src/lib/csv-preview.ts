export interface CsvPreview {
  header: string[]
  rows: string[][]
}

/** The head of a CSV file, for the eye only: the server reads the file itself. */
export function previewCsv(text: string, rowLimit: number): CsvPreview {
  const separator = guessSeparator(text)
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let quoted = false
  for (let i = 0; i < text.length && rows.length <= rowLimit; i++) {
    const char = text[i]!
    if (quoted) {
      if (char !== '"') cell += char
      else if (text[i + 1] === '"') cell += text[++i]
      else quoted = false
    } else if (char === '"') quoted = true
    else if (char === separator) {
      row.push(cell)
      cell = ''
    } else if (char === '\n') {
      row.push(cell.replace(/\r$/, ''))
      rows.push(row)
      row = []
      cell = ''
    } else cell += char
  }
  if (rows.length <= rowLimit && (cell || row.length)) rows.push([...row, cell])
  const [header = [], ...rest] = rows
  return { header: header.map((name) => name.replace(/^\uFEFF/, '').trim()), rows: rest.slice(0, rowLimit) }
}

function guessSeparator(text: string): string {
  const line = text.slice(0, text.indexOf('\n') + 1 || undefined)
  const count = (char: string) => line.split(char).length
  return [',', ';', '\t'].reduce((best, char) => (count(char) > count(best) ? char : best))
}
