// What takes minutes with Kafka, or cannot be done. Run by examples/node/run.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
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
    brokers: broker.bootstrapServers.split(','),
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

test('a binary that is not there is told with the remedy', async (t) => {
  const env = { ...process.env }
  t.after(() => ('OTTLA' in env ? (process.env.OTTLA = env.OTTLA) : delete process.env.OTTLA))
  process.env.OTTLA = '/not/there'
  await assert.rejects(Kafka.start(), /cannot start \/not\/there \(.*ENOENT.*\): set OTTLA to the binary/)
})

test('a broker that does not start is told with its exit code', async () => {
  await assert.rejects(Kafka.start('--clock', 'sundial'), { message: 'NOT_READY: ottla test ended with 2' })
})

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

test('records are put into a topic without a client', async () => {
  await kafka.produce('orders', { value: 'one', key: 'till-4' }, { value: 'two' })
  const seen = []
  const consumer = await consume(kafka, seen)
  await kafka.waitUntil('lagZero', { group: 'billing', limitMs: 30_000 })
  assert.deepEqual(seen, ['one', 'two'])
  await consumer.disconnect()
})

test('what did not happen is told', async () => {
  await kafka.createTopic('orders')
  await assert.rejects(
    kafka.waitUntil('records', { topic: 'orders', count: 1, limitMs: 0 }),
    (error) => error instanceof OttlaError && error.status === 408 && /it has 0/.test(error.message),
  )
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

test('a lost answer makes no duplicate', async () => {
  await kafka.createTopic('orders')
  const wrong = await kafka.fault({ api: 'Produce', topic: 'orders', times: 3, answer: 'NOT_LEADER_OR_FOLLOWER' })
  const lost = await kafka.fault({ api: 'Produce', topic: 'orders', skip: 3, times: 1, disconnectAfter: true })
  // Not dropAnswer: kafkajs does not try again what has timed out.
  const producer = client().producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ value: 'once' }] })
  await producer.disconnect()
  assert.deepEqual([await wrong.hits(), await lost.hits()], [3, 1])
  assert.deepEqual((await kafka.records('orders')).map((record) => record.value), ['once'])
})

async function consume(broker, seen) {
  const consumer = client(broker).consumer({ groupId: 'billing', heartbeatInterval: 300, maxWaitTimeInMs: 300 })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  await consumer.run({ autoCommitThreshold: 1, eachMessage: async ({ message }) => seen.push(`${message.value}`) })
  return consumer
}

test('a session times out by the clock, and the group tells why', async () => {
  await kafka.createTopic('orders')
  const seen = []
  const consumer = await consume(kafka, seen)
  await kafka.waitUntil('groupStable', { group: 'billing', members: 1 })
  await kafka.advance(5 * 60_000)
  const history = await kafka.groupHistory('billing')
  assert.ok(history.some((text) => text.includes('its session expired')), `${history}`)
  // It finds out by itself, and joins again.
  await send('one')
  await kafka.waitUntil('committed', { group: 'billing', topic: 'orders', offset: 1, limitMs: 30_000 })
  assert.ok(seen.includes('one'))
  await consumer.disconnect()
})

test('a transaction is fenced after a pause', async () => {
  await kafka.createTopic('orders')
  const producer = client().producer({ transactionalId: 'till-4', transactionTimeout: 60_000, maxInFlightRequests: 1 })
  await producer.connect()
  const transaction = await producer.transaction()
  await transaction.send({ topic: 'orders', messages: [{ value: 'late' }] })
  await kafka.advance(5 * 60_000)
  await assert.rejects(transaction.commit())
  const history = await kafka.transactionHistory('till-4')
  assert.ok(history.some((text) => text.includes('more than its timeout of 60000 ms')), `${history}`)
  await producer.disconnect()
})

test('a failed fsync loses nothing that was acknowledged', async () => {
  await kafka.createTopic('orders', { configs: { 'flush.messages': '1' } })
  await send('acknowledged')
  await kafka.failDisk('sync')
  const producer = client().producer({ retry: { retries: 0 } })
  await producer.connect()
  await assert.rejects(producer.send({ topic: 'orders', messages: [{ value: 'refused' }] }))
  await producer.disconnect()
  await kafka.healDisk()
  await kafka.restart()
  assert.equal((await kafka.records('orders'))[0].value, 'acknowledged')
})

test('a power loss loses nothing that was acknowledged as flushed', async () => {
  const volatile = await Kafka.start('--volatile-disk')
  await volatile.createTopic('orders', { configs: { 'flush.messages': '1' } })
  await volatile.createTopic('views')
  await sendTo(volatile, 'flushed')
  await volatile.produce('views', { value: 'not flushed' })
  await volatile.losePower()
  assert.deepEqual((await volatile.records('orders')).map((record) => record.value), ['flushed'])
  assert.deepEqual(await volatile.records('views'), [])
  await volatile.stop()
})

test('a broker that hangs answers when it goes on', async () => {
  await kafka.createTopic('orders')
  await kafka.pause()
  const sent = send('late')
  assert.equal(await Promise.race([sent, setTimeout(200, 'nothing')]), 'nothing')
  await kafka.resume()
  await sent
  assert.deepEqual((await kafka.records('orders')).map((record) => record.value), ['late'])
})

test('leaders and coordinators move under a producer and a group', async () => {
  const brokers = await Kafka.start('--nodes', '3')
  await brokers.createTopic('orders')
  const seen = []
  const consumer = await consume(brokers, seen)
  const producer = client(brokers).producer({ idempotent: true, maxInFlightRequests: 1 })
  await producer.connect()
  const values = ['one', 'two', 'three']
  for (const [index, value] of values.entries()) {
    await producer.send({ topic: 'orders', messages: [{ value }] })
    await brokers.waitUntil('committed', { group: 'billing', topic: 'orders', offset: index + 1, limitMs: 30_000 })
    await brokers.move('leader', { topic: 'orders' })
    await brokers.move('coordinator', { group: 'billing' })
  }
  // A consumer of kafkajs 2.2.4 that is disconnected while it takes note of another number of brokers spins for ever,
  // and no timer of its process fires any more.
  await consumer.disconnect()
  const down = await brokers.move('leader', { topic: 'orders' })
  await brokers.nodeDown(down)
  await producer.send({ topic: 'orders', messages: [{ value: 'four' }] })
  await brokers.nodeUp(down)
  assert.deepEqual((await brokers.records('orders')).map((record) => record.value), [...values, 'four'])
  await producer.disconnect()
  await brokers.stop()
})
