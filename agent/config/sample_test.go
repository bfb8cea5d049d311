package config_test

import (
	"testing"

	"branchline/agent/config"
	"branchline/internal/conf/conftest"
)

func TestTheSampleShowsWhatASettingIsThatIsLeftOut(t *testing.T) {
	conftest.Sample(t, sample(t), 60, func(text string) (config.Config, error) {
		c, err := config.Load(place(t, text))
		c.Fingerprint = "" // it is of the text
		return c, err
	})
}
