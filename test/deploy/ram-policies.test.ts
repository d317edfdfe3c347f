// Compares the RAM policies with what the code calls.
import { describe, expect, test } from 'vitest'
import { DESCRIBE_SNAPSHOT_CONFIG, OPERATIONS } from '../../src/core/live-operations.ts'
import { textOf } from './files.ts'

describe('RAM policies', () => {
  const [serving] = JSON.parse(textOf('deploy/ram-policy.json')).Statement
  const [admin] = JSON.parse(textOf('deploy/ram-policy-admin.json')).Statement
  const [audit] = JSON.parse(textOf('deploy/ram-policy-audit.json')).Statement

  test('serving may do what the service calls, on streaming domains', () => {
    const actions = OPERATIONS.map((operation) => `live:${operation}`)
    const others: readonly string[] = [admin.Action, ...audit.Action]
    const withoutAdmin = actions.filter((action) => !others.includes(action))
    expect(serving.Action.toSorted()).toEqual(withoutAdmin.toSorted())
    expect(serving).toMatchObject({ Effect: 'Allow', Resource: 'acs:cdn:*:*:domain/*' })
  })

  test('the doctor may look at snapshot configurations on top, and at nothing else', () => {
    const [doctor] = JSON.parse(textOf('deploy/ram-policy-doctor.json')).Statement
    expect(doctor).toEqual({
      Effect: 'Allow',
      Action: `live:${DESCRIBE_SNAPSHOT_CONFIG}`,
      Resource: '*',
    })
  })

  test('the audit may list pushes and shots on top, which is authorised for all resources only', () => {
    const lists = ['DescribeLiveStreamsPublishList', 'DescribeLiveStreamSnapshotInfo']
    expect(audit).toEqual({
      Effect: 'Allow',
      Action: lists.map((name) => `live:${name}`),
      Resource: '*',
    })
    expect(OPERATIONS).toEqual(expect.arrayContaining(lists))
  })

  test('pictures take reading objects of one bucket, and nothing else', () => {
    const [images] = JSON.parse(textOf('deploy/ram-policy-images.json')).Statement
    expect(images).toEqual({
      Effect: 'Allow',
      Action: 'oss:GetObject',
      Resource: expect.stringMatching(/^acs:oss:\*:\*:[\w-]+\/\*$/),
    })
  })

  test('the admin may delete on top, which is authorised for all resources only', () => {
    expect(admin).toEqual({
      Effect: 'Allow',
      Action: 'live:DeleteLiveSnapshotNotifyConfig',
      Resource: '*',
    })
    expect(OPERATIONS.map((name) => `live:${name}`)).toContain(admin.Action)
  })
})
