package uitest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"branchline/internal/ui/uitest"
)

// A page that is still on its way is looked at once all of it is there.
func TestAPageIsLookedAtWhenItIsWhole(t *testing.T) {
	uitest.NeedAxe(t)
	rest := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /rest", func(http.ResponseWriter, *http.Request) { close(rest) })
	mux.HandleFunc("GET /favicon.ico", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /whole", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /half", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `<!doctype html><html lang="en"><head><title>Half</title><script>setTimeout(() => fetch("/rest"), 1500)</script></head>
			<body><main><h1>It has begun</h1><input id="lot" style="min-height: 40px">`)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-rest:
		case <-r.Context().Done():
		}
		fmt.Fprint(w, `<label for="lot">Lot</label></main></body></html>`)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	page := uitest.Open(t, server.URL+"/whole")
	uitest.Eval[bool](page, `(location.assign("/half"), true)`)
	page.WaitText("It has begun")
	if found := page.Unusable(1366); found != "" {
		t.Error(found)
	}
}
