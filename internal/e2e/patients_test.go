//go:build linux

package e2e

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/eclipse/paho.mqtt.golang/packets"

	"branchline/internal/rig"
	"branchline/internal/wire"
)

// mark stands for a patient, in every place of an export that nobody mapped.
const mark = "QXZJVKWF"

// tap passes on what goes between an agent and its broker, and keeps what the
// agent says.
type tap struct {
	listener net.Listener
	to       string

	mu   sync.Mutex
	said []*bytes.Buffer // by connection
	wg   sync.WaitGroup
}

func newTap(t *testing.T, to string) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{listener: l, to: to}
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.pass(c) })
		}
	})
	return p
}

func (p *tap) pass(agent net.Conn) {
	defer agent.Close()
	hub, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer hub.Close()
	said := new(bytes.Buffer)
	p.mu.Lock()
	p.said = append(p.said, said)
	p.mu.Unlock()
	p.wg.Go(func() {
		_, _ = io.Copy(agent, hub)
		agent.Close()
	})
	_, _ = io.Copy(hub, io.TeeReader(agent, writerFunc(func(b []byte) (int, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return said.Write(b)
	})))
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// published gives all that the agent published, opened: topics, records of
// movements, and the other payloads.
func (p *tap) published(t *testing.T) (text string, records int) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var b strings.Builder
	for _, said := range p.said {
		r := bytes.NewReader(said.Bytes())
		for {
			packet, err := packets.ReadPacket(r)
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			pub, ok := packet.(*packets.PublishPacket)
			if !ok {
				fmt.Fprintln(&b, packet.String())
				continue
			}
			fmt.Fprintf(&b, "%s %s\n", pub.TopicName, pub.Payload)
			if _, c, _ := wire.ParseTopic(pub.TopicName); c == wire.Movements {
				batch, err := wire.Open(pub.Payload)
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintf(&b, "%+v\n", batch.Header)
				for _, record := range batch.Records {
					fmt.Fprintf(&b, "%s\n", record)
					records++
				}
			}
		}
	}
	return b.String(), records
}

var guideBlock = regexp.MustCompile("(?s)```yaml\n(- name: .*?)```\n\nTried on `([^`]+)`")

// markedExports are the guide's mappings, each with its sample in which
// everything that is not mapped is the mark.
func markedExports(t *testing.T, folder string) (yaml string, drop func()) {
	t.Helper()
	guide, err := os.ReadFile("../../configs/exports.md")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, m := range guideBlock.FindAllStringSubmatch(string(guide), -1) {
		format := filepath.Base(filepath.Dir(m[2]))
		names, err := filepath.Glob("../../" + m[2] + "/export.*")
		if err != nil || len(names) != 1 {
			t.Fatal(names, err)
		}
		sample, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		marked := markers[format](sample)
		if n := bytes.Count(marked, []byte(mark)); n < 4 {
			t.Fatalf("%s is marked %d times:\n%s", format, n, marked)
		}
		dir := filepath.Join(folder, format)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		files[filepath.Join(dir, filepath.Base(names[0]))] = marked
		block := regexp.MustCompile(`(?m)^- name: .*\n  folder: .*$`).ReplaceAllString(m[1], "- name: "+format+"\n  folder: "+dir+"\n  settle: 100ms\n  poll: 100ms")
		for line := range strings.Lines(block) {
			yaml += "  " + line
		}
	}
	if len(files) != 6 {
		t.Fatalf("%d formats", len(files))
	}
	return yaml, func() {
		for name, text := range files {
			if err := os.WriteFile(name, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// markers put the mark into every place of the guide's samples that is not
// mapped, and add rows that cannot be read.
var markers = map[string]func([]byte) []byte{
	"csv": func(b []byte) []byte {
		lines := strings.Split(strings.TrimRight(string(b), "\r\n"), "\n")
		head := strings.TrimRight(lines[0], "\r")
		lines[0] = "Patient;" + head + ";Arzt"
		for i := range lines[1:] {
			lines[i+1] = mark + ";" + strings.TrimRight(lines[i+1], "\r") + ";" + mark
		}
		lines = append(lines, mark+";too few;"+mark, mark+strings.Repeat(";"+mark, 30), "\""+mark+";"+mark)
		return []byte(strings.Join(lines, "\n") + "\n")
	},
	"fixed": func(b []byte) []byte {
		lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
		for i, line := range lines[1:] {
			r := []rune(line)
			if len(r) > 40 { // places 21 to 40 are the patient's
				lines[i+1] = string(r[:20]) + mark + mark + "    " + string(r[40:])
			}
		}
		return []byte(strings.Join(append(lines, mark), "\n") + "\n")
	},
	"dbf": func(b []byte) []byte {
		b = bytes.Clone(b)
		rows, start, width := int(binary.LittleEndian.Uint32(b[4:])), int(binary.LittleEndian.Uint16(b[8:])), int(binary.LittleEndian.Uint16(b[10:]))
		at := 1
		for field := 32; b[field] != 0x0d; field += 32 {
			size := int(b[field+16])
			if b[field+11] == 'C' && size >= len(mark) && bytes.HasPrefix(b[field:], []byte("KUNDE")) {
				for row := range rows {
					copy(b[start+row*width+at:], mark)
				}
			}
			at += size
		}
		return b
	},
	"xml": func(b []byte) []byte {
		b = regexp.MustCompile(`>(Maria Musterfrau|Tropfen [^<]*)<`).ReplaceAll(b, []byte(">"+mark+"<"))
		b = bytes.ReplaceAll(b, []byte(`born="1950"`), []byte(`born="`+mark+`"`))
		b = bytes.ReplaceAll(b, []byte("written by the till"), []byte(mark))
		return bytes.ReplaceAll(b, []byte("</pzn>"), []byte("</pzn><"+mark+">"+mark+"</"+mark+">"))
	},
	"hl7": func(b []byte) []byte {
		s := regexp.MustCompile(`PID\|[^\r\n]*`).ReplaceAllString(string(b), "PID|1||"+mark+"^^^H^MR||"+mark+"^"+mark+"||19500101|F|||"+mark)
		s = strings.ReplaceAll(s, "Maria", mark)
		s = regexp.MustCompile(`ORC\|RE\|([^|\r\n]*)\|([^|\r\n]*)`).ReplaceAllString(s, "ORC|RE|$1|$2|"+mark+"|||||||"+mark)
		return []byte(s)
	},
	"asap": func(b []byte) []byte {
		s := strings.NewReplacer("MUSTERFRAU", mark, "MARIA", mark, "Maria", mark, "MUSTER", mark, "1 Main St", mark).Replace(string(b))
		return []byte(strings.Replace(s, "~TP*", "~NTE*"+mark+"~TP*", 1))
	},
}

// Marked names stand in everything of an export that is not mapped, of every
// format. None of them is in what the agent and the hub keep, log, measure, show
// or say over MQTT.
func TestNothingAboutPatientsLeavesTheFile(t *testing.T) {
	o := newOffice(t)
	agent := o.Agents[0]
	if err := agent.Stop(); err != nil {
		t.Fatal(err)
	}
	p := newTap(t, strings.TrimPrefix(o.Server, "mqtt://"))
	defer func() { p.listener.Close(); _ = agent.Stop(); p.wg.Wait() }()
	exports := t.TempDir()
	yaml, drop := markedExports(t, exports)
	config := filepath.Join(o.Dir, agent.Branch.Code+".yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(strings.Replace(string(text), o.Server, "mqtt://"+p.listener.Addr().String(), 1), "\nexports:\n", "\nexports:\n"+yaml, 1)
	if err := os.WriteFile(config, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := agent.Start(o.ctx); err != nil {
		t.Fatal(err)
	}
	drop()
	get := func(page string) string {
		t.Helper()
		_, body, err := o.look(page)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	sawFormats := func(text string) bool {
		for format := range markers {
			if !strings.Contains(text, `"adapter":"`+format+`"`) {
				return false
			}
		}
		return true
	}
	var said string
	if err := rig.Until(o.ctx, "all formats are at the hub", func() (bool, error) {
		var records int
		said, records = p.published(t)
		return records > 30 && sawFormats(said) && strings.Contains(get(agent.Page+"way"), "Everything scanned and read is at the hub"), nil
	}); err != nil {
		t.Fatalf("%v\n%s\n%s", err, said, get(agent.Page+"way"))
	}
	where := map[string]string{"what the agent says over MQTT": said}
	rows := get(agent.Page + "rows")
	links := regexp.MustCompile(`href="/(rows/[0-9a-f]+)"`).FindAllStringSubmatch(rows, -1)
	if len(links) < 10 {
		t.Errorf("only %d rows on the page:\n%s", len(links), rows)
	}
	where["the list of rows"] = rows
	for _, l := range links {
		where["the page of "+l[1]] = get(agent.Page + l[1])
	}
	for _, page := range []string{agent.Page + "way", agent.Page + "metrics", agent.Page + "healthz", o.HubPage, o.HubPage + "metrics", o.HubPage + "healthz"} {
		where[page] = get(page)
	}
	if !strings.Contains(where[agent.Page+"metrics"], `adapter="dbf"`) {
		t.Error("the metrics are elsewhere")
	}
	for _, list := range []string{"movements", "exceptions"} {
		where["the hub's "+list] = o.ok([]string{list, "--json"})
	}
	if err := errors.Join(agent.Stop(), o.Hub.Stop()); err != nil {
		t.Fatal(err)
	}
	bytesOf := 0
	if err := filepath.WalkDir(o.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		bytesOf += len(b)
		where[path] = string(b)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if bytesOf < 1<<16 {
		t.Errorf("only %d bytes of files were looked at", bytesOf)
	}
	for place, text := range where {
		for _, secret := range []string{mark, strings.ToLower(mark), "Musterfrau", "MUSTERFRAU"} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s is in %s: %.200q", secret, place, text[max(i-80, 0):])
			}
		}
	}
}
