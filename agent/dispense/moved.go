package dispense

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"branchline/agent/outbox"
	"branchline/internal/fault"
	"branchline/internal/movement"
)

// A file that was read to its end is moved only when it has not changed for longer
// than a program should pause. One that pauses longer still has the file open where
// it was moved to, and writes on into it there, outside Windows at least: so a moved
// file has a checkpoint under a mark of its own, and what comes into it is read.
const (
	// movedFor is how long a moved file is looked at since it last had something new.
	movedFor = 48 * time.Hour
	// movedEvery is how often.
	movedEvery = time.Minute
	// movedMark begins the marks of moved files; no file in the folder has one, as no
	// name of a file has a slash.
	movedMark = "moved/"
	// moveAgain is when a file that could not be moved is tried again.
	moveAgain = time.Minute
)

// moved are the files that an adapter has moved.
type moved struct {
	names map[string]string // the real ones, by mark
	next  time.Time
}

// finished does with a file that is done what the configuration says; left is when
// it should be asked again.
func (a *adapter) finished(ctx context.Context, f file, s sighting) (left time.Duration, err error) {
	const never = math.MaxInt64
	if k := a.marks.byName[f.mark]; a.e.Finished != "move" || k == nil || !k.Moved.IsZero() {
		return never, nil
	}
	if left := openSettle**a.e.Settle - a.Now().Sub(s.since); left > 0 {
		return left, nil
	}
	if last, ok := a.unmoved[f.mark]; ok && last.holds(f, a.Now()) {
		return last.until.Sub(a.Now()), last.why
	}
	if a.writing(f.path) {
		return never, nil
	}
	if err := a.move(ctx, f); err != nil {
		why := fault.New(fault.Setup, codeUnmoved, "%s is read but cannot be moved to %s: %w", f.told, a.e.Done, cause(err)).
			WithHint("check that the agent's account may write there")
		a.unmoved[f.mark] = failure{s, why, a.Now().Add(moveAgain)}
		return moveAgain, why
	}
	return never, nil
}

// move writes down where the file goes before it goes there: a power cut leaves a
// mark without a file, which is dropped, and never a file without a mark.
func (a *adapter) move(ctx context.Context, f file) error {
	if err := os.MkdirAll(a.e.Done, 0o755); err != nil {
		return err
	}
	info, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Size() != f.size || !info.ModTime().Equal(f.changed) {
		return nil // there is more in it now
	}
	to := f.name
	if _, err := os.Lstat(filepath.Join(a.e.Done, to)); err == nil {
		ext := filepath.Ext(f.name)
		to = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(f.name, ext), a.Now().UnixMilli(), ext)
	}
	g := file{name: f.name, told: f.told, mark: movedMark + a.names.told(to)}
	k := *a.marks.byName[f.mark]
	k.position = k.at()
	k.Moved, k.File = a.Now(), f.told
	note, err := a.marks.note(g, &k)
	if err != nil {
		return err
	}
	if _, err := a.Store.Append(ctx, outbox.Write{Lane: movement.Bulk, Notes: []outbox.Note{note}}); err != nil {
		return err
	}
	if err := os.Rename(f.path, filepath.Join(a.e.Done, to)); err != nil {
		_, undone := a.Store.Append(ctx, outbox.Write{Lane: movement.Bulk, Notes: []outbox.Note{{Space: note.Space, Key: note.Key}}})
		return errors.Join(err, undone)
	}
	a.marks.byName[g.mark] = &k
	if a.moved.names == nil { // a look that did not find the folder came before
		a.moved.names = map[string]string{}
	}
	a.moved.names[g.mark] = to
	return nil
}

// follow gives the moved files that are still looked at, when it is time, and
// forgets those whose time is over, or that somebody has taken away.
func (a *adapter) follow(ctx context.Context) (files []file) {
	now := a.Now()
	if a.e.Finished != "move" || now.Before(a.moved.next) && !now.Before(a.moved.next.Add(-movedEvery)) {
		return nil
	}
	a.moved.next = now.Add(movedEvery)
	if a.moved.names == nil {
		if a.moved.names = a.inDone(); a.moved.names == nil {
			return nil // the folder is away
		}
	}
	var over []string
	for mark, k := range a.marks.byName {
		if k.Moved.IsZero() {
			continue
		}
		name, there := a.moved.names[mark]
		if !there || now.Sub(k.Moved) > movedFor && now.Sub(k.At) > movedFor {
			over = append(over, mark)
			continue
		}
		path := filepath.Join(a.e.Done, name)
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if _, err := os.Stat(a.e.Done); err == nil {
				over = append(over, mark)
			}
		case err == nil && info.Mode().IsRegular():
			f := file{name: name, path: path, told: k.File, mark: mark, size: info.Size(), changed: info.ModTime().UTC()}
			if !k.unchanged(f) {
				a.moved.next = now // it is looked at until it has settled
			}
			files = append(files, f)
		}
	}
	a.drop(ctx, over)
	return files
}

func (a *adapter) drop(ctx context.Context, marks []string) {
	if len(marks) == 0 {
		return
	}
	notes := make([]outbox.Note, len(marks))
	for i, mark := range marks {
		notes[i] = outbox.Note{Space: noteSpace, Key: a.e.Name + "/" + mark}
	}
	if _, err := a.Store.Append(ctx, outbox.Write{Lane: movement.Bulk, Notes: notes}); err != nil {
		a.log.Warn("old checkpoints stay", "err", err)
		return
	}
	for _, mark := range marks {
		delete(a.marks.byName, mark)
		delete(a.moved.names, mark)
		delete(a.seen, mark)
		delete(a.failed, mark)
	}
}

// inDone finds the real names of moved files after a start; nil where the folder
// cannot be read.
func (a *adapter) inDone() map[string]string {
	entries, err := os.ReadDir(a.e.Done)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	names := make(map[string]string, len(entries))
	for _, entry := range entries {
		if !a.e.Reads(entry.Name()) {
			continue
		}
		for _, told := range []string{a.names.told(entry.Name()), a.names.hidden(entry.Name())} {
			if mark := movedMark + told; a.marks.byName[mark] != nil {
				names[mark] = entry.Name()
				break
			}
		}
	}
	return names
}
