package conf

import "testing"

func TestTheSettingThatWasMeant(t *testing.T) {
	type inner struct {
		Quantity string   `yaml:"quantity"`
		Skipped  string   `yaml:"-"`
		More     []*inner `yaml:"more"`
	}
	type outer struct {
		Branch  string            `yaml:"branch"`
		DataDir string            `yaml:"data_dir"`
		Inner   map[string]*inner `yaml:"inner"`
	}
	for name, want := range map[string]string{"quantiy": "quantity", "brnach": "branch", "datadir": "data_dir", "Branch": "branch", "mroe": "more", "skipped": "", "x": "", "colour": ""} {
		if got := near(name, &outer{}); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for pair, want := range map[[2]string]int{{"", ""}: 0, {"a", ""}: 1, {"", "abc"}: 3, {"ab", "ba"}: 1, {"kitten", "sitting"}: 3, {"abc", "abc"}: 0} {
		if got := distance(pair[0], pair[1]); got != want {
			t.Errorf("%v: %d, want %d", pair, got, want)
		}
	}
}
