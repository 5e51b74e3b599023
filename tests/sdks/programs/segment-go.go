package main

import (
	"os"
	"time"

	"github.com/segmentio/analytics-go/v3"
)

type callback struct{}

func (callback) Success(analytics.Message) {}

func (callback) Failure(_ analytics.Message, err error) { panic(err) }

func main() {
	client, err := analytics.NewWithConfig(os.Getenv("WRITE_KEY"), analytics.Config{Endpoint: os.Getenv("MILLRACE_URL"), Callback: callback{}})
	if err != nil {
		panic(err)
	}
	messages := []analytics.Message{
		analytics.Track{AnonymousId: "a1", Event: "Product Viewed", Properties: analytics.NewProperties().SetPrice(5)},
		analytics.Identify{UserId: "u1", AnonymousId: "a1", Traits: analytics.NewTraits().SetEmail("ada@example.com")},
		analytics.Track{UserId: "u1", Event: "Order Completed", Properties: analytics.NewProperties().SetOrderId("o1").SetRevenue(12.5).SetCurrency("usd")},
		analytics.Track{UserId: "u1", Event: "Tea Drunk", Timestamp: time.Now().Add(-48 * time.Hour)},
		analytics.Page{UserId: "u1", Name: "Home"},
		analytics.Screen{UserId: "u1", Name: "Start"},
		analytics.Group{UserId: "u1", GroupId: "g1", Traits: analytics.NewTraits().SetName("Shop")},
		analytics.Alias{UserId: "u1", PreviousId: "old"},
	}
	for _, message := range messages {
		if err := client.Enqueue(message); err != nil {
			panic(err)
		}
	}
	if err := client.Close(); err != nil {
		panic(err)
	}
}
