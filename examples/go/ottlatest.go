// Package ottlatest is Kafka for tests, from the `ottla` binary.
//
//	kafka := ottlatest.Start(t)
//
// The binary is found by OTTLA, or on the PATH. The broker ends with the test.
package ottlatest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Kafka is a running `ottla test`.
type Kafka struct {
	BootstrapServers string
	Control          string
}

// Fields are those of a request to the control endpoint, or of its answer.
type Fields = map[string]any

// Error is what the broker did not do, and why.
type Error struct {
	Status  int    `json:"-"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Record is a record of a topic.
type Record struct {
	Partition int32
	Offset    int64
	Timestamp int64
	Key       any
	Value     any
}

// Start starts a broker, which ends with the test.
func Start(t testing.TB, args ...string) *Kafka {
	t.Helper()
	binary := os.Getenv("OTTLA")
	if binary == "" {
		binary = "ottla"
	}
	command := exec.Command(binary, append([]string{"test", "--until-stdin-ends"}, args...)...)
	command.Stderr = os.Stderr
	// The broker ends when this pipe does, however the tests end.
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatalf("cannot start %s (%v): set OTTLA to the binary, or have it on the PATH", binary, err)
	}
	t.Cleanup(func() {
		stdin.Close()
		if err := command.Wait(); err != nil {
			t.Error("ottla test:", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("ottla test is not ready: %q %v", line, err)
	}
	kafka := &Kafka{}
	for _, part := range strings.Fields(line) {
		switch key, value, _ := strings.Cut(part, "="); key {
		case "bootstrap.servers":
			kafka.BootstrapServers = value
		case "control":
			kafka.Control = value
		}
	}
	return kafka
}

// Call asks the control endpoint: see the page on testing of ottla's handbook. The answer is decoded into answer unless
// that is nil.
func (k *Kafka) Call(method, path string, fields Fields, answer any) error {
	var body bytes.Buffer
	if fields != nil {
		if err := json.NewEncoder(&body).Encode(fields); err != nil {
			return err
		}
	}
	request, err := http.NewRequest(method, k.Control+path, &body)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		told := struct{ Error Error }{Error{Status: response.StatusCode}}
		if err := json.NewDecoder(response.Body).Decode(&told); err != nil {
			return err
		}
		return &told.Error
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// Advance lets time pass, with everything that is due by then.
func (k *Kafka) Advance(by time.Duration) error {
	return k.Call("POST", "/v1/advance", Fields{"ms": by.Milliseconds()}, nil)
}

// WaitUntil waits for the broker: WaitUntil("records", Fields{"topic": "orders", "count": 3}).
func (k *Kafka) WaitUntil(until string, fields Fields) error {
	all := Fields{"until": until}
	for key, value := range fields {
		all[key] = value
	}
	return k.Call("POST", "/v1/wait", all, nil)
}

// Fault has requests go wrong: Fault(Fields{"api": "Produce", "times": 3, "answer": "NOT_LEADER_OR_FOLLOWER"}). It
// returns how many requests it has met so far.
func (k *Kafka) Fault(fields Fields) (hits func() (int, error), err error) {
	var made struct{ ID int }
	if err := k.Call("POST", "/v1/faults", fields, &made); err != nil {
		return nil, err
	}
	return func() (int, error) {
		var rules []struct{ ID, Hits int }
		if err := k.Call("GET", "/v1/faults", nil, &rules); err != nil {
			return 0, err
		}
		for _, rule := range rules {
			if rule.ID == made.ID {
				return rule.Hits, nil
			}
		}
		return 0, fmt.Errorf("rule %d has ended", made.ID)
	}, nil
}

// CreateTopic makes a topic.
func (k *Kafka) CreateTopic(name string, partitions int, configs map[string]string) error {
	return k.Call("POST", "/v1/topics", Fields{"name": name, "partitions": partitions, "configs": configs}, nil)
}

// Produce puts records into a topic without a client: Produce("orders", Fields{"value": "two pears", "key": "till-4"}).
func (k *Kafka) Produce(topic string, records ...Fields) error {
	return k.Call("POST", "/v1/topics/"+url.PathEscape(topic)+"/records", Fields{"records": records}, nil)
}

// Records are all records of a topic.
func (k *Kafka) Records(topic string) (records []Record, err error) {
	err = k.Call("GET", "/v1/topics/"+url.PathEscape(topic)+"/records", nil, &records)
	return records, err
}

// History is what happened to a group ("groups") or a transactional id ("transactions"), and why, in words.
func (k *Kafka) History(kind, id string) (texts []string, err error) {
	var events []struct{ Text string }
	err = k.Call("GET", "/v1/"+kind+"/"+url.PathEscape(id)+"/history", nil, &events)
	for _, event := range events {
		texts = append(texts, event.Text)
	}
	return texts, err
}

// FailDisk has the disk fail: FailDisk("sync", "EIO"). HealDisk ends that.
func (k *Kafka) FailDisk(operation, with string) error {
	return k.Call("POST", "/v1/disk", Fields{"fail": operation, "with": with}, nil)
}

// HealDisk has the disk work again.
func (k *Kafka) HealDisk() error {
	return k.Call("DELETE", "/v1/disk", nil, nil)
}

// LosePower cuts the power of a broker with --volatile-disk, and starts it again with what was synced.
func (k *Kafka) LosePower() error {
	return k.Call("POST", "/v1/power-loss", nil, nil)
}

// Restart stops the broker, and starts it again with its data.
func (k *Kafka) Restart() error {
	return k.Call("POST", "/v1/restart", nil, nil)
}

// Move has another of several brokers (--nodes) be it: Move("leader", Fields{"topic": "orders"}),
// Move("coordinator", Fields{"group": "billing"}). It returns which one it is.
func (k *Kafka) Move(what string, fields Fields) (to int, err error) {
	all := Fields{"what": what}
	for key, value := range fields {
		all[key] = value
	}
	var moved struct{ To int }
	err = k.Call("POST", "/v1/move", all, &moved)
	return moved.To, err
}

// Leader is the broker that leads a partition.
func (k *Kafka) Leader(topic string, partition int) (int, error) {
	var topics []struct {
		Name       string
		Partitions []struct{ Leader int }
	}
	if err := k.Call("GET", "/v1/topics", nil, &topics); err != nil {
		return 0, err
	}
	for _, found := range topics {
		if found.Name == topic && partition < len(found.Partitions) {
			return found.Partitions[partition].Leader, nil
		}
	}
	return 0, fmt.Errorf("there is no partition %s-%d", topic, partition)
}

// NodeDown takes one of several brokers down.
func (k *Kafka) NodeDown(node int) error {
	return k.Call("POST", fmt.Sprintf("/v1/nodes/%d/down", node), nil, nil)
}

// NodeUp brings it up again.
func (k *Kafka) NodeUp(node int) error {
	return k.Call("POST", fmt.Sprintf("/v1/nodes/%d/up", node), nil, nil)
}

// Group is what there is of a group.
type Group struct {
	GroupID      string
	State        string
	GenerationID int
	Coordinator  int
	Members      []struct{ MemberID, ClientID string }
}

// Group finds a group by its name; nil if there is none.
func (k *Kafka) Group(id string) (*Group, error) {
	var groups []Group
	if err := k.Call("GET", "/v1/groups", nil, &groups); err != nil {
		return nil, err
	}
	for _, group := range groups {
		if group.GroupID == id {
			return &group, nil
		}
	}
	return nil, nil
}

// Reset starts from nothing, at the same address.
func (k *Kafka) Reset() error {
	return k.Call("POST", "/v1/reset", nil, nil)
}

// Namespace is a part of a broker, with an address of its own: tests that run at once on one broker, each in its own, may
// use the same names. The broker has the names with the namespace's in front: a.orders.
type Namespace struct {
	Name             string
	BootstrapServers string
	kafka            *Kafka
}

// Namespace makes one, which ends with the test.
func (k *Kafka) Namespace(t testing.TB, name string) *Namespace {
	t.Helper()
	made := &Namespace{kafka: k}
	if err := k.Call("POST", "/v1/namespaces", Fields{"name": name}, made); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.Call("DELETE", "/v1/namespaces/"+url.PathEscape(name), nil, nil); err != nil {
			t.Error("namespace:", err)
		}
	})
	return made
}

// FullName is the broker's name of one of its topics, groups or transactional ids.
func (n *Namespace) FullName(name string) string { return n.Name + "." + name }

// Records are all records of one of its topics.
func (n *Namespace) Records(topic string) ([]Record, error) {
	return n.kafka.Records(n.FullName(topic))
}

// Fork is a second broker that goes on from where this one is. It ends when end is called, or with this one.
func (k *Kafka) Fork() (fork *Kafka, end func() error, err error) {
	var made struct {
		ID int
		Kafka
	}
	if err := k.Call("POST", "/v1/forks", nil, &made); err != nil {
		return nil, nil, err
	}
	end = func() error { return k.Call("DELETE", fmt.Sprintf("/v1/forks/%d", made.ID), nil, nil) }
	return &made.Kafka, end, nil
}

// Snapshot keeps the broker as it is; restore makes it so again.
func (k *Kafka) Snapshot() (restore func() error, err error) {
	var made struct{ ID int }
	if err := k.Call("POST", "/v1/snapshots", nil, &made); err != nil {
		return nil, err
	}
	return func() error { return k.Call("POST", fmt.Sprintf("/v1/snapshots/%d/restore", made.ID), nil, nil) }, nil
}

// Request is one that has come, and what became of it: see the page on testing of ottla's handbook.
type Request struct {
	API      string
	ClientID string
	Body     map[string]any
	End      map[string]any
}

// Journal are the requests that have come: Journal(url.Values{"api": {"Produce"}}).
func (k *Kafka) Journal(match url.Values) (requests []Request, err error) {
	err = k.Call("GET", "/v1/journal?"+match.Encode(), nil, &requests)
	return requests, err
}

// Pause has the broker hang: connections stay, and nobody answers.
func (k *Kafka) Pause() error {
	return k.Call("POST", "/v1/pause", nil, nil)
}

// Resume has it work again.
func (k *Kafka) Resume() error {
	return k.Call("POST", "/v1/resume", nil, nil)
}
