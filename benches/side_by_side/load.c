/*
 * A load generator on librdkafka, the same for every broker it is pointed at. Prints one line of JSON.
 *
 *   load produce   BOOTSTRAP TOPIC partitions=1 size=100 seconds=3 bytes=0 acks=all codec=none
 *   load consume   BOOTSTRAP TOPIC partitions=1 records=N
 *   load latency   BOOTSTRAP TOPIC partitions=1 size=100 rate=1000 seconds=5 acks=all
 *   load subscribe BOOTSTRAP TOPIC rounds=5
 *
 * A record's payload is text of words and numbers, so that codecs have something to do. `latency` writes the time
 * of sending into each record and measures when it comes back, at a steady rate, so that a slow answer delays no
 * later record's clock (no coordinated omission).
 */
#include <librdkafka/rdkafka.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_PARTITIONS 4096
#define POOL_BYTES (8 << 20)

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static double seconds_since(int64_t start) { return (now_ns() - start) / 1e9; }

static void die(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static int option_count;
static char **options;

static const char *option(const char *name, const char *fallback) {
    size_t length = strlen(name);
    for (int i = 0; i < option_count; i++)
        if (!strncmp(options[i], name, length) && options[i][length] == '=')
            return options[i] + length + 1;
    return fallback;
}

static int64_t number(const char *name, const char *fallback) { return strtoll(option(name, fallback), NULL, 10); }

static void set(rd_kafka_conf_t *conf, const char *key, const char *value) {
    char why[512];
    if (rd_kafka_conf_set(conf, key, value, why, sizeof why) != RD_KAFKA_CONF_OK)
        die(key, why);
}

static int64_t delivered, failed, last_delivery;
static char first_failure[256];

static void on_delivery(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client, (void)opaque;
    if (message->err && !failed++)
        snprintf(first_failure, sizeof first_failure, "%s", rd_kafka_err2str(message->err));
    else if (!message->err)
        delivered++;
    last_delivery = now_ns();
}

static rd_kafka_t *make(rd_kafka_type_t type, const char *bootstrap, const char *group) {
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", bootstrap);
    set(conf, "broker.address.family", "v4");
    if (type == RD_KAFKA_PRODUCER) {
        set(conf, "acks", option("acks", "all"));
        set(conf, "compression.type", option("codec", "none"));
        set(conf, "linger.ms", option("linger", "5"));
        set(conf, "batch.size", option("batch", "131072"));
        set(conf, "batch.num.messages", "1000000");
        set(conf, "queue.buffering.max.messages", "500000");
        set(conf, "queue.buffering.max.kbytes", "524288");
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    } else {
        set(conf, "group.id", group);
        set(conf, "enable.auto.commit", "false");
        set(conf, "auto.offset.reset", "earliest");
        set(conf, "enable.partition.eof", "true");
    }
    char why[512];
    rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof why);
    if (!client)
        die("librdkafka", why);
    if (type == RD_KAFKA_CONSUMER)
        rd_kafka_poll_set_consumer(client);
    return client;
}

static char *text_pool(size_t extra) {
    static const char *words[] = {"order", "user", "amount", "status", "pending", "region", "eu-west", "device",
                                  "mobile", "session", "payload", "event", "total", "currency", "basket", "shop"};
    char *pool = malloc(POOL_BYTES + extra + 64);
    uint32_t state = 7;
    for (size_t at = 0; at < POOL_BYTES + extra;) {
        state = state * 1664525u + 1013904223u;
        at += sprintf(pool + at, "%s=%x;", words[state >> 28], (state >> 8) & 0xffff);
    }
    return pool;
}

/* Asks for the topic, which creates it if it is not there, and returns when all partitions have a leader. */
static rd_kafka_topic_t *open_topic(rd_kafka_t *client, const char *name) {
    rd_kafka_topic_t *topic = rd_kafka_topic_new(client, name, NULL);
    int64_t start = now_ns();
    for (;;) {
        const struct rd_kafka_metadata *metadata;
        rd_kafka_resp_err_t err = rd_kafka_metadata(client, 0, topic, &metadata, 10000);
        if (!err) {
            int ready = metadata->topic_cnt == 1 && !metadata->topics[0].err;
            rd_kafka_metadata_destroy(metadata);
            if (ready)
                return topic;
        }
        if (seconds_since(start) > 30)
            die(name, "has no leader within 30 s");
    }
}

static void produce(const char *bootstrap, const char *name) {
    size_t size = number("size", "100");
    int partitions = number("partitions", "1");
    int64_t byte_limit = number("bytes", "0"), sent = 0, sent_bytes = 0;
    double limit_s = atof(option("seconds", "3"));
    rd_kafka_t *client = make(RD_KAFKA_PRODUCER, bootstrap, NULL);
    rd_kafka_topic_t *topic = open_topic(client, name);
    char *pool = text_pool(size);
    size_t at = 0;
    int64_t start = now_ns();
    while ((!byte_limit || sent_bytes < byte_limit) && ((sent & 255) || seconds_since(start) < limit_s)) {
        if (rd_kafka_produce(topic, sent % partitions, RD_KAFKA_MSG_F_COPY, pool + at, size, NULL, 0, NULL)) {
            if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
                die("produce", rd_kafka_err2str(rd_kafka_last_error()));
            rd_kafka_poll(client, 5);
            if (seconds_since(start) > limit_s)
                break;
            continue;
        }
        sent++, sent_bytes += size;
        at = (at + size) % POOL_BYTES;
        if (!(sent & 1023))
            rd_kafka_poll(client, 0);
    }
    rd_kafka_flush(client, 60000);
    double seconds = (last_delivery - start) / 1e9;
    printf("{\"records\": %" PRId64 ", \"failed\": %" PRId64 ", \"seconds\": %.4f, \"mb_per_s\": %.2f, \"why\": \"%s\"}\n",
           delivered, failed, seconds, delivered * size / 1e6 / seconds, first_failure);
}

static rd_kafka_topic_partition_list_t *all_partitions(const char *name, int partitions, int64_t offset) {
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; i++)
        rd_kafka_topic_partition_list_add(list, name, i)->offset = offset;
    return list;
}

static void consume(const char *bootstrap, const char *name) {
    int partitions = number("partitions", "1");
    int64_t wanted = number("records", "0"), got = 0, bytes = 0, first = 0, last = 0;
    rd_kafka_t *client = make(RD_KAFKA_CONSUMER, bootstrap, "load");
    rd_kafka_topic_partition_list_t *list = all_partitions(name, partitions, RD_KAFKA_OFFSET_BEGINNING);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(client);
    static rd_kafka_message_t *messages[8192];
    int64_t start = now_ns();
    rd_kafka_assign(client, list);
    int ends = 0;
    while (got < wanted && ends < partitions && seconds_since(start) < 60) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, 100, messages, 8192);
        for (ssize_t i = 0; i < count; i++) {
            if (messages[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
                ends++;
            else if (messages[i]->err)
                die("consume", rd_kafka_message_errstr(messages[i]));
            else
                got++, bytes += messages[i]->len;
            rd_kafka_message_destroy(messages[i]);
        }
        if (got && !first)
            first = now_ns();
        last = now_ns();
    }
    double seconds = (last - start) / 1e9;
    printf("{\"records\": %" PRId64 ", \"seconds\": %.4f, \"mb_per_s\": %.2f, \"first_ms\": %.2f}\n", got, seconds,
           bytes / 1e6 / seconds, (first - start) / 1e6);
}

static double *latencies;
static int64_t latency_count, latency_room;
static int reader_partitions;
static const char *reader_topic;
static atomic_int reader_ready, reader_stop;

static void *read_latencies(void *client) {
    rd_kafka_assign(client, all_partitions(reader_topic, reader_partitions, RD_KAFKA_OFFSET_END));
    int ends = 0;
    while (!reader_stop) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 50);
        if (!message)
            continue;
        int64_t now = now_ns(), sent;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF && ++ends >= reader_partitions)
            reader_ready = 1;
        if (!message->err && message->len >= sizeof sent && latency_count < latency_room) {
            memcpy(&sent, message->payload, sizeof sent);
            latencies[latency_count++] = (now - sent) / 1e6;
        }
        rd_kafka_message_destroy(message);
    }
    return NULL;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void latency(const char *bootstrap, const char *name) {
    size_t size = number("size", "100");
    int64_t rate = number("rate", "1000");
    latency_room = rate * number("seconds", "5");
    latencies = calloc(latency_room, sizeof *latencies);
    reader_partitions = number("partitions", "1");
    reader_topic = name;
    rd_kafka_t *producer = make(RD_KAFKA_PRODUCER, bootstrap, NULL);
    rd_kafka_topic_t *topic = open_topic(producer, name);
    pthread_t reader;
    pthread_create(&reader, NULL, read_latencies, make(RD_KAFKA_CONSUMER, bootstrap, "load-latency"));
    int64_t start = now_ns();
    while (!reader_ready && seconds_since(start) < 20)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    char *pool = text_pool(size);
    start = now_ns();
    for (int64_t i = 0; i < latency_room; i++) {
        int64_t due = start + i * 1000000000 / rate;
        struct timespec until = {due / 1000000000, due % 1000000000};
        if (due > now_ns())
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        memcpy(pool, &due, sizeof due);
        rd_kafka_produce(topic, i % reader_partitions, RD_KAFKA_MSG_F_COPY, pool, size, NULL, 0, NULL);
        rd_kafka_poll(producer, 0);
    }
    rd_kafka_flush(producer, 20000);
    int64_t end = now_ns();
    while (latency_count < latency_room && seconds_since(end) < 5)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    reader_stop = 1;
    pthread_join(reader, NULL);
    /* The first tenth warms caches and connections up. */
    int64_t skipped = latency_count / 10, n = latency_count - skipped;
    if (n < 1)
        die("latency", "no record came back");
    double *counted = latencies + skipped;
    qsort(counted, n, sizeof *counted, by_value);
    printf("{\"records\": %" PRId64 ", \"lost\": %" PRId64
           ", \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f}\n",
           latency_count, latency_room - latency_count, counted[n / 2], counted[n * 99 / 100], counted[n * 999 / 1000],
           counted[n - 1]);
}

static void subscribe(const char *bootstrap, const char *name) {
    int rounds = number("rounds", "5");
    rd_kafka_t *producer = make(RD_KAFKA_PRODUCER, bootstrap, NULL);
    rd_kafka_topic_t *topic = open_topic(producer, name);
    rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, "x", 1, NULL, 0, NULL);
    rd_kafka_flush(producer, 20000);
    double *taken = calloc(rounds, sizeof *taken);
    for (int round = 0; round < rounds; round++) {
        char group[64];
        snprintf(group, sizeof group, "new-%" PRId64 "-%d", now_ns(), round);
        rd_kafka_t *client = make(RD_KAFKA_CONSUMER, bootstrap, group);
        rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(topics, name, RD_KAFKA_PARTITION_UA);
        int64_t start = now_ns();
        rd_kafka_subscribe(client, topics);
        for (int came = 0; !came;) {
            rd_kafka_message_t *message = rd_kafka_consumer_poll(client, 1000);
            if (seconds_since(start) > 60)
                die("subscribe", "no record within 60 s");
            if (!message)
                continue;
            came = !message->err;
            rd_kafka_message_destroy(message);
        }
        taken[round] = seconds_since(start) * 1e3;
        rd_kafka_consumer_close(client);
        rd_kafka_destroy(client);
    }
    qsort(taken, rounds, sizeof *taken, by_value);
    printf("{\"median_ms\": %.2f, \"max_ms\": %.2f}\n", taken[rounds / 2], taken[rounds - 1]);
}

int main(int count, char **arguments) {
    if (count < 4)
        die("usage", "load produce|consume|latency|subscribe BOOTSTRAP TOPIC [NAME=VALUE...]");
    options = arguments + 4;
    option_count = count - 4;
    const char *mode = arguments[1];
    if (!strcmp(mode, "produce"))
        produce(arguments[2], arguments[3]);
    else if (!strcmp(mode, "consume"))
        consume(arguments[2], arguments[3]);
    else if (!strcmp(mode, "latency"))
        latency(arguments[2], arguments[3]);
    else if (!strcmp(mode, "subscribe"))
        subscribe(arguments[2], arguments[3]);
    else
        die(mode, "is none of produce, consume, latency and subscribe");
    fflush(stdout);
    /* Closing librdkafka may wait for the broker, which is not what is measured. */
    _Exit(0);
}
