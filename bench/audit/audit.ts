// What an audit costs: calls for streams without a hole and with one callback in a hundred lost, and
// what comparing a day of 500 streams does to the appends of callbacks. `npm run bench -- audit
// [calls | day]`.
const [part = 'both'] = process.argv.slice(3)
if (part !== 'day') await (await import('./calls.ts')).run()
if (part !== 'calls') await (await import('./day.ts')).run()
