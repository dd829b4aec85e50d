// Tests that run at once on one broker, each in a namespace: they use the same names, and see their own things only.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import kafkajs from 'kafkajs'
import { Kafka } from './ottla.mjs'

let kafka
before(async () => (kafka = await Kafka.start()))
after(() => kafka.stop())

/** Lets each of two tests go on when the other has come as far, or has failed. */
function meeting() {
  let come = 0
  let open
  const both = new Promise((resolve) => (open = resolve))
  return () => (++come === 2 && open(), both)
}

describe('two tests at once with one topic name', { concurrency: true }, () => {
  const [haveSent, haveRead] = [meeting(), meeting()]
  for (const name of ['a', 'b']) {
    test(`the test ${name} sees its own records, topics and group`, async () => {
      const namespace = await kafka.namespace(name)
      const client = new kafkajs.Kafka({
        brokers: namespace.bootstrapServers.split(','),
        logLevel: kafkajs.logLevel.NOTHING,
        retry: { initialRetryTime: 10 },
      })
      const values = [`first of ${name}`, `second of ${name}`]
      try {
        const producer = client.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
        await producer.connect()
        await producer.send({ topic: 'orders', messages: values.map((value) => ({ value })) })
        await producer.disconnect()
      } finally {
        await haveSent()
      }
      const seen = []
      const consumer = client.consumer({ groupId: 'billing', heartbeatInterval: 300, maxWaitTimeInMs: 300 })
      try {
        await consumer.connect()
        await consumer.subscribe({ topic: 'orders', fromBeginning: true })
        await consumer.run({ autoCommitThreshold: 1, eachMessage: async ({ message }) => seen.push(`${message.value}`) })
        await kafka.waitUntil('lagZero', { group: namespace.fullName('billing'), limitMs: 60_000 })
        assert.equal((await kafka.groups())[namespace.fullName('billing')].members.length, 1)
      } finally {
        // Both are members of a group of the same name by now.
        await haveRead()
        await consumer.disconnect()
      }
      assert.deepEqual(seen, values)
      const admin = client.admin()
      await admin.connect()
      const topics = await admin.listTopics()
      assert.deepEqual(topics.filter((topic) => !topic.startsWith('__')), ['orders'])
      await admin.disconnect()
      assert.deepEqual((await namespace.records('orders')).map((record) => record.value), values)
      await namespace.end()
    })
  }
})
