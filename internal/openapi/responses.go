package openapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

func (b *builder) responses(o Operation) object {
	all := object{}
	for _, a := range o.Answers {
		answer := object{"description": cmp.Or(a.Text, http.StatusText(a.Status)), "headers": b.headerRefs()}
		if a.Body != nil {
			answer["content"] = content(a.Media, b.schemas.answer(a.Body), nil)
		}
		all[strconv.Itoa(a.Status)] = answer
	}
	byStatus := map[int][]Refusal{}
	for _, r := range o.Refusals {
		byStatus[r.Status] = append(byStatus[r.Status], r)
	}
	for status, refusals := range byStatus {
		all[strconv.Itoa(status)] = object{"$ref": "#/components/responses/" + b.refusal(status, refusals)}
	}
	return all
}

// refusal names the response of a status with these refusals, and writes it down once.
func (b *builder) refusal(status int, refusals []Refusal) (name string) {
	name = strconv.Itoa(status)
	var texts []string
	examples := object{}
	for _, r := range refusals {
		name += "." + r.Code
		texts = append(texts, fmt.Sprintf("`%s`: %s", r.Code, r.Text))
		examples[r.Code] = object{"summary": r.Text, "value": r.Body}
	}
	b.refused[name] = object{
		"description": strings.Join(texts, "\n\n"),
		"content":     object{"application/json": object{"schema": b.schemas.answer(b.Errors), "examples": examples}},
	}
	return name
}

func content(media string, schema any, example json.RawMessage) object {
	body := object{"schema": schema}
	if example != nil {
		body["example"] = example
	}
	return object{cmp.Or(media, "application/json"): body}
}

func (b *builder) headers() object {
	all := object{}
	for name, text := range b.Headers {
		all[name] = object{"description": text, "schema": object{"type": "string"}}
	}
	return all
}

func (b *builder) headerRefs() object {
	all := object{}
	for name := range b.Headers {
		all[name] = object{"$ref": "#/components/headers/" + name}
	}
	return all
}
