package config_test

import (
	"testing"

	"branchline/hub/config"
	"branchline/internal/conf/conftest"
)

func TestTheSampleShowsWhatASettingIsThatIsLeftOut(t *testing.T) {
	conftest.Sample(t, sample(t), 35, func(text string) (config.Config, error) { return config.Load(place(t, text)) })
}
