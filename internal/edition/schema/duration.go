package schema

import (
	"fmt"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/message"
)

// durations are two words of our own in the schema: minimumDuration and
// maximumDuration bound a text such as 30s. Who does not know them does not heed
// them.
func durations() *jsonschema.Vocabulary {
	const url = "https://branchline.example/schema/durations"
	bound := map[string]any{"type": "string"}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(url, map[string]any{"properties": map[string]any{"minimumDuration": bound, "maximumDuration": bound}}); err != nil {
		panic(err) // fixed
	}
	return &jsonschema.Vocabulary{URL: url, Schema: c.MustCompile(url), Compile: compileDurations}
}

func compileDurations(_ *jsonschema.CompilerContext, schema map[string]any) (jsonschema.SchemaExt, error) {
	var b bounds
	for name, to := range map[string]**time.Duration{"minimumDuration": &b.min, "maximumDuration": &b.max} {
		text, ok := schema[name].(string)
		if !ok {
			continue
		}
		d, err := time.ParseDuration(text)
		if err != nil {
			return nil, err
		}
		*to = &d
	}
	if b == (bounds{}) {
		return nil, nil
	}
	return b, nil
}

type bounds struct{ min, max *time.Duration }

// Validate implements jsonschema.SchemaExt.
func (b bounds) Validate(ctx *jsonschema.ValidatorContext, v any) {
	text, ok := v.(string)
	d, err := time.ParseDuration(text)
	if !ok || err != nil {
		return // the form is another word's
	}
	switch {
	case b.min != nil && d < *b.min:
		ctx.AddError(&outOfTime{text, "less", *b.min})
	case b.max != nil && d > *b.max:
		ctx.AddError(&outOfTime{text, "more", *b.max})
	}
}

// outOfTime is the error of bounds.
type outOfTime struct {
	got, how string
	want     time.Duration
}

var _ jsonschema.ErrorKind = (*outOfTime)(nil)

func (o *outOfTime) words() string { return fmt.Sprintf("%q is %s than %s", o.got, o.how, o.want) }

// KeywordPath implements jsonschema.ErrorKind.
func (o *outOfTime) KeywordPath() []string { return []string{"minimumDuration"} }

// LocalizedString implements jsonschema.ErrorKind.
func (o *outOfTime) LocalizedString(*message.Printer) string { return o.words() }
