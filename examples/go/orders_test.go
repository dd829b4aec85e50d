package ottlatest

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// What takes minutes with Kafka, or cannot be done. Run by examples/go/run.

func client(t *testing.T, kafka *Kafka, options ...kgo.Opt) *kgo.Client {
	t.Helper()
	// By itself it asks who leads only once in some seconds, however often it is told that it has asked the wrong one.
	options = append(options, kgo.SeedBrokers(strings.Split(kafka.BootstrapServers, ",")...), kgo.ClientID("till-4"),
		kgo.MetadataMinAge(10*time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 10 * time.Millisecond }))
	client, err := kgo.NewClient(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func send(t *testing.T, kafka *Kafka, values ...string) {
	t.Helper()
	producer := client(t, kafka, kgo.DefaultProduceTopic("orders"))
	for _, value := range values {
		if err := producer.ProduceSync(context.Background(), kgo.StringRecord(value)).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAWeekOfRetentionPassesAtOnce(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, map[string]string{"retention.ms": "604800000", "segment.ms": "60000"}))
	send(t, kafka, "old")
	must(t, kafka.Advance(8*24*time.Hour))
	records, err := kafka.Records("orders")
	must(t, err)
	if len(records) != 0 {
		t.Fatalf("still there: %v", records)
	}
}

func TestWrongLeadersAndALostAnswerMakeNoDuplicate(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, nil))
	wrong, err := kafka.Fault(Fields{"api": "Produce", "times": 3, "answer": "NOT_LEADER_OR_FOLLOWER"})
	must(t, err)
	lost, err := kafka.Fault(Fields{"api": "Produce", "skip": 3, "times": 1, "disconnectAfter": true})
	must(t, err)
	dropped, err := kafka.Fault(Fields{"api": "Produce", "skip": 4, "times": 1, "dropAnswer": true})
	must(t, err)
	producer := client(t, kafka, kgo.DefaultProduceTopic("orders"),
		kgo.ProduceRequestTimeout(time.Second), kgo.RequestTimeoutOverhead(time.Second))
	must(t, producer.ProduceSync(context.Background(), kgo.StringRecord("once")).FirstErr())
	for _, hits := range []struct {
		of   func() (int, error)
		want int
	}{{wrong, 3}, {lost, 1}, {dropped, 1}} {
		if found, err := hits.of(); err != nil || found != hits.want {
			t.Fatalf("%d of %d requests: %v", found, hits.want, err)
		}
	}
	records, err := kafka.Records("orders")
	must(t, err)
	if len(records) != 1 || records[0].Value != "once" {
		t.Fatalf("not once: %v", records)
	}
}

func TestAGroupIsWaitedFor(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 2, nil))
	send(t, kafka, "one", "two")
	consumer := client(t, kafka, kgo.ConsumerGroup("billing"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	for seen := 0; seen < 2; {
		fetched := consumer.PollFetches(context.Background())
		must(t, fetched.Err())
		seen += fetched.NumRecords()
	}
	must(t, kafka.WaitUntil("groupStable", Fields{"group": "billing", "members": 1}))
	err := kafka.WaitUntil("lagZero", Fields{"group": "billing", "limitMs": 0})
	var told *Error
	if !errors.As(err, &told) || told.Status != 408 || !strings.Contains(told.Message, "it has committed nothing") {
		t.Fatalf("not told: %v", err)
	}
	must(t, consumer.CommitUncommittedOffsets(context.Background()))
	must(t, kafka.WaitUntil("lagZero", Fields{"group": "billing"}))
}

func TestRecordsArePutThereWithoutAClient(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.Produce("orders", Fields{"value": "one", "key": "till-4"}, Fields{"value": "two"}))
	receive(t, consumer(t, kafka), "two")
}

func TestResetLeavesNothing(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, nil))
	must(t, kafka.Reset())
	var told *Error
	if _, err := kafka.Records("orders"); !errors.As(err, &told) || told.Status != 404 {
		t.Fatalf("still there: %v", err)
	}
}

// Both are under way at once, on one broker, with one name of a topic and one of a group: each goes on only when the other
// is as far.
func TestTwoTestsAtOnceDoNotSeeEachOther(t *testing.T) {
	kafka := Start(t)
	var bothHaveSent, bothHaveRead sync.WaitGroup
	bothHaveSent.Add(2)
	bothHaveRead.Add(2)
	meet := func(both *sync.WaitGroup) {
		both.Done()
		both.Wait()
	}
	for _, name := range []string{"a", "b"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := kafka.Namespace(t, name)
			own := &Kafka{BootstrapServers: namespace.BootstrapServers}
			// Whatever fails, the other test is not to wait for this one.
			defer meet(&bothHaveRead)
			func() {
				defer meet(&bothHaveSent)
				must(t, kafka.CreateTopic(namespace.FullName("orders"), 1, nil))
				send(t, own, "first of "+name, "second of "+name)
			}()
			consumer := consumer(t, own)
			receive(t, consumer, "second of "+name)
			must(t, consumer.CommitUncommittedOffsets(context.Background()))
			records, err := namespace.Records("orders")
			must(t, err)
			if len(records) != 2 || records[0].Value != "first of "+name || records[1].Value != "second of "+name {
				t.Fatalf("of both: %v", records)
			}
			group, err := kafka.Group(namespace.FullName("billing"))
			must(t, err)
			if group == nil || len(group.Members) != 1 {
				t.Fatalf("not its own member alone: %+v", group)
			}
		})
	}
}

func TestAForkGoesItsOwnWay(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, nil))
	send(t, kafka, "prepared")
	restore, err := kafka.Snapshot()
	must(t, err)
	fork, end, err := kafka.Fork()
	must(t, err)
	send(t, fork, "of the fork")
	for _, found := range []struct {
		kafka *Kafka
		count int
	}{{kafka, 1}, {fork, 2}} {
		records, err := found.kafka.Records("orders")
		must(t, err)
		if len(records) != found.count {
			t.Fatalf("%d records instead of %d", len(records), found.count)
		}
	}
	must(t, end())
	if _, err := fork.Records("orders"); err == nil {
		t.Fatal("the fork goes on")
	}
	send(t, kafka, "of a test")
	must(t, restore())
	if found := values(t, kafka, "orders"); !slices.Equal(found, []string{"prepared"}) {
		t.Fatalf("found %q", found)
	}
}

func TestTheJournalHasWhatWasSentWhileTheBrokerHung(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, nil))
	must(t, kafka.Pause())
	hurried, hurry := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer hurry()
	producer := client(t, kafka, kgo.DefaultProduceTopic("orders"))
	if err := producer.Ping(hurried); err == nil {
		t.Fatal("it answers")
	}
	must(t, kafka.Resume())
	must(t, producer.ProduceSync(context.Background(), kgo.StringRecord("late")).FirstErr())
	requests, err := kafka.Journal(url.Values{"api": {"Produce"}})
	must(t, err)
	if len(requests) != 1 || requests[0].ClientID != "till-4" || requests[0].Body["acks"] != -1.0 {
		t.Fatalf("found %v", requests)
	}
}

func has(t *testing.T, texts []string, part string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(text, part) {
			return
		}
	}
	t.Fatalf("no %q in %q", part, texts)
}

func values(t *testing.T, kafka *Kafka, topic string) (values []string) {
	t.Helper()
	records, err := kafka.Records(topic)
	must(t, err)
	for _, record := range records {
		values = append(values, record.Value.(string))
	}
	return values
}

func TestATransactionIsFencedAfterAPause(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, nil))
	producer := client(t, kafka, kgo.DefaultProduceTopic("orders"), kgo.TransactionalID("till-4"),
		kgo.TransactionTimeout(time.Minute))
	must(t, producer.BeginTransaction())
	must(t, producer.ProduceSync(context.Background(), kgo.StringRecord("late")).FirstErr())
	must(t, kafka.Advance(5*time.Minute))
	if err := producer.EndTransaction(context.Background(), kgo.TryCommit); err == nil {
		t.Fatal("committed what was aborted")
	}
	history, err := kafka.History("transactions", "till-4")
	must(t, err)
	has(t, history, "more than its timeout of 60000 ms")
}

func TestAFailedFsyncLosesNothingThatWasAcknowledged(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, map[string]string{"flush.messages": "1"}))
	send(t, kafka, "acknowledged")
	must(t, kafka.FailDisk("sync", "EIO"))
	producer := client(t, kafka, kgo.DefaultProduceTopic("orders"), kgo.RecordRetries(0),
		kgo.DisableIdempotentWrite())
	if err := producer.ProduceSync(context.Background(), kgo.StringRecord("refused")).FirstErr(); err == nil {
		t.Fatal("acknowledged what was not synced")
	}
	must(t, kafka.HealDisk())
	must(t, kafka.Restart())
	if found := values(t, kafka, "orders"); len(found) == 0 || found[0] != "acknowledged" {
		t.Fatalf("lost: %v", found)
	}
}

func TestAPowerLossLosesNothingThatWasFlushed(t *testing.T) {
	kafka := Start(t, "--volatile-disk")
	must(t, kafka.CreateTopic("orders", 1, map[string]string{"flush.messages": "1"}))
	must(t, kafka.CreateTopic("views", 1, nil))
	send(t, kafka, "flushed")
	must(t, kafka.Produce("views", Fields{"value": "not flushed"}))
	must(t, kafka.LosePower())
	if found := values(t, kafka, "orders"); len(found) != 1 || found[0] != "flushed" {
		t.Fatalf("lost: %v", found)
	}
	if found := values(t, kafka, "views"); len(found) != 0 {
		t.Fatalf("kept what was not flushed: %v", found)
	}
}

func consumer(t *testing.T, kafka *Kafka) *kgo.Client {
	t.Helper()
	return client(t, kafka, kgo.ConsumerGroup("billing"), kgo.ConsumeTopics("orders"), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.HeartbeatInterval(300*time.Millisecond))
}

// receive polls until the value has come.
func receive(t *testing.T, consumer *kgo.Client, value string) {
	t.Helper()
	patience, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for found := false; !found; {
		fetched := consumer.PollFetches(patience)
		if patience.Err() != nil {
			t.Fatalf("%q has not come: %v", value, fetched.Errors())
		}
		fetched.EachRecord(func(record *kgo.Record) { found = found || string(record.Value) == value })
	}
}

func TestASessionTimesOutByTheClockAndTheGroupTellsWhy(t *testing.T) {
	kafka := Start(t)
	must(t, kafka.CreateTopic("orders", 1, nil))
	send(t, kafka, "one")
	consumer := consumer(t, kafka)
	receive(t, consumer, "one")
	must(t, kafka.WaitUntil("groupStable", Fields{"group": "billing", "members": 1}))
	must(t, kafka.Advance(5*time.Minute))
	history, err := kafka.History("groups", "billing")
	must(t, err)
	has(t, history, "its session expired")
	// It finds out by itself, and joins again.
	send(t, kafka, "two")
	receive(t, consumer, "two")
}

func TestAProducerSurvivesMovesOfTheLeaderAndABrokerThatIsDown(t *testing.T) {
	kafka := Start(t, "--nodes", "3")
	must(t, kafka.CreateTopic("orders", 1, nil))
	producer := client(t, kafka, kgo.DefaultProduceTopic("orders"))
	produce := func(value string) {
		t.Helper()
		must(t, producer.ProduceSync(context.Background(), kgo.StringRecord(value)).FirstErr())
	}
	produce("one")
	_, err := kafka.Move("leader", Fields{"topic": "orders"})
	must(t, err)
	produce("two")
	down, err := kafka.Leader("orders", 0)
	must(t, err)
	must(t, kafka.NodeDown(down))
	produce("three")
	must(t, kafka.NodeUp(down))
	_, err = kafka.Move("leader", Fields{"topic": "orders", "to": down})
	must(t, err)
	produce("four")
	if found := values(t, kafka, "orders"); !slices.Equal(found, []string{"one", "two", "three", "four"}) {
		t.Fatalf("found %q", found)
	}
}

func TestAGroupSurvivesTheMoveOfItsCoordinator(t *testing.T) {
	kafka := Start(t, "--nodes", "3")
	must(t, kafka.CreateTopic("orders", 1, nil))
	send(t, kafka, "one")
	consumer := consumer(t, kafka)
	receive(t, consumer, "one")
	must(t, kafka.WaitUntil("groupStable", Fields{"group": "billing", "members": 1}))
	before, err := kafka.Group("billing")
	must(t, err)
	to, err := kafka.Move("coordinator", Fields{"group": "billing"})
	must(t, err)
	send(t, kafka, "two")
	receive(t, consumer, "two")
	must(t, consumer.CommitUncommittedOffsets(context.Background()))
	after, err := kafka.Group("billing")
	must(t, err)
	if after.Coordinator != to || after.GenerationID != before.GenerationID {
		t.Fatalf("%+v instead of %+v at %d", after, before, to)
	}
}
