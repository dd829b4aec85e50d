// What takes minutes with Kafka, or cannot be done. Run by examples/node/run.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import kafkajs from 'kafkajs'
import { Kafka, OttlaError } from './ottla.mjs'

let kafka
before(async () => (kafka = await Kafka.start()))
after(() => kafka.stop())
beforeEach(() => kafka.reset())

const DAY_MS = 24 * 3_600_000

const client = (broker = kafka) =>
  new kafkajs.Kafka({
    clientId: 'till-4',
    brokers: [broker.bootstrapServers],
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { initialRetryTime: 10 },
  })

const send = (...values) => sendTo(kafka, ...values)

async function sendTo(broker, ...values) {
  const producer = client(broker).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic: 'orders', messages: values.map((value) => ({ value })) })
  await producer.disconnect()
}

test('a week of retention passes at once', async () => {
  await kafka.createTopic('orders', { configs: { 'retention.ms': `${7 * DAY_MS}`, 'segment.ms': '60000' } })
  await send('old')
  await kafka.advance(8 * DAY_MS)
  assert.deepEqual(await kafka.records('orders'), [])
})

test('a producer survives three wrong leaders', async () => {
  await kafka.createTopic('orders')
  const fault = await kafka.fault({ api: 'Produce', topic: 'orders', times: 3, answer: 'NOT_LEADER_OR_FOLLOWER' })
  await send('once')
  assert.equal(await fault.hits(), 3)
  assert.deepEqual((await kafka.records('orders')).map((record) => record.value), ['once'])
  const journal = await kafka.journal({ api: 'Produce', clientId: 'till-4' })
  assert.deepEqual(journal.map((request) => request.end.errors.length), [1, 1, 1, 0])
})

test('a test waits for the group and its lag, not for some seconds', async () => {
  await kafka.createTopic('orders', { partitions: 2 })
  await send('one', 'two', 'three')
  const consumer = client().consumer({ groupId: 'billing' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  const seen = []
  await consumer.run({ autoCommitThreshold: 1, eachMessage: async ({ message }) => seen.push(`${message.value}`) })
  await kafka.waitUntil('groupStable', { group: 'billing', members: 1 })
  await kafka.waitUntil('lagZero', { group: 'billing' })
  assert.deepEqual(seen.sort(), ['one', 'three', 'two'])
  await consumer.disconnect()
  await kafka.waitUntil('groupEmpty', { group: 'billing' })
})

test('what did not happen is told', async () => {
  await kafka.createTopic('orders')
  await assert.rejects(
    kafka.waitUntil('records', { topic: 'orders', count: 1, limitMs: 0 }),
    (error) => error instanceof OttlaError && error.status === 408 && /it has 0/.test(error.message),
  )
})

test('two tests at once with one topic name do not see each other', async () => {
  const run = async (name) => {
    const namespace = await kafka.namespace(name)
    await sendTo(namespace, `of ${name}`)
    const admin = client(namespace).admin()
    await admin.connect()
    const topics = await admin.listTopics()
    await admin.disconnect()
    return topics
  }
  assert.deepEqual(await Promise.all([run('a'), run('b')]), [['orders'], ['orders']])
  assert.deepEqual((await kafka.records('a.orders')).map((record) => record.value), ['of a'])
})

test('a prepared broker is forked and brought back', async () => {
  await kafka.createTopic('orders')
  await send('prepared')
  const prepared = await kafka.snapshot()
  const fork = await kafka.fork()
  await sendTo(fork, 'of the fork')
  await send('of a test')
  assert.deepEqual((await fork.records('orders')).map((record) => record.value), ['prepared', 'of the fork'])
  await prepared.restore()
  assert.deepEqual((await kafka.records('orders')).map((record) => record.value), ['prepared'])
  await fork.stop()
})
