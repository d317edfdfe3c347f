// `node deploy/write-rules.ts`: writes the rules of
// `deploy/prometheus/alerts.yaml` as an object of the Prometheus operator.
import { readFileSync, writeFileSync } from 'node:fs'

const HEAD = `# Written by deploy/write-rules.ts from deploy/prometheus/alerts.yaml: change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: snaphook
  labels:
    app.kubernetes.io/name: snaphook
spec:
`
const target = new URL('./kubernetes/prometheus-operator/prometheus-rule.yaml', import.meta.url)
const from = new URL('./prometheus/alerts.yaml', import.meta.url)
const text = readFileSync(from, 'utf8')
const groups = text.slice(text.indexOf('groups:'))
const indented = groups.replaceAll(/^(?=.)/gm, '  ')
writeFileSync(target, `${HEAD}${indented}`)
