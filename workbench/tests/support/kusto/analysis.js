// Reads {tables: {name: "(Column:type,...)"}, queries: {name: text}} from standard input, and
// writes what Kusto's own language service finds wrong with each query: {name: [message, ...]}. The
// argument is the service's folder.
const fs = require('fs')
const vm = require('vm')

for (const file of ['bridge.min.js', 'Kusto.Language.Bridge.min.js']) {
  const path = `${process.argv[2]}/${file}`
  vm.runInThisContext(fs.readFileSync(path, 'utf8'), { filename: path })
}

const { tables, queries } = JSON.parse(fs.readFileSync(0, 'utf8'))
const { Symbols, GlobalState, KustoCode } = Kusto.Language
const symbols = Object.entries(tables).map(([name, columns]) =>
  Symbols.TableSymbol.From(columns).WithName(name))
const workspace = new Symbols.DatabaseSymbol.ctor('workspace', symbols)
const globals = GlobalState.Default.WithDatabase(workspace)

const findings = {}
for (const [name, query] of Object.entries(queries)) {
  const diagnostics = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics()
  findings[name] = []
  for (let index = 0; index < diagnostics.Count; index++) {
    const each = diagnostics.getItem(index)
    const line = query.slice(0, each.Start).split('\n').length
    findings[name].push(`line ${line}: ${each.Message}`)
  }
}
process.stdout.write(JSON.stringify(findings))
