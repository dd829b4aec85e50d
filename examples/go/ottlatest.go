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
		t.Fatal(err)
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

// Reset starts from nothing, at the same address.
func (k *Kafka) Reset() error {
	return k.Call("POST", "/v1/reset", nil, nil)
}

// Namespace is a part of the broker with an address of its own, for a test that runs beside others with the same names.
func (k *Kafka) Namespace(name string) (bootstrapServers string, err error) {
	var made struct{ BootstrapServers string }
	err = k.Call("POST", "/v1/namespaces", Fields{"name": name}, &made)
	return made.BootstrapServers, err
}

// Fork is a second broker that goes on from where this one is. It ends with this one.
func (k *Kafka) Fork() (*Kafka, error) {
	fork := &Kafka{}
	err := k.Call("POST", "/v1/forks", nil, fork)
	return fork, err
}
