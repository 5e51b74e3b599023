import com.rudderstack.sdk.java.analytics.RudderAnalytics;
import com.rudderstack.sdk.java.analytics.Callback;
import com.rudderstack.sdk.java.analytics.messages.AliasMessage;
import com.rudderstack.sdk.java.analytics.messages.GroupMessage;
import com.rudderstack.sdk.java.analytics.messages.IdentifyMessage;
import com.rudderstack.sdk.java.analytics.messages.Message;
import com.rudderstack.sdk.java.analytics.messages.PageMessage;
import com.rudderstack.sdk.java.analytics.messages.ScreenMessage;
import com.rudderstack.sdk.java.analytics.messages.TrackMessage;
import java.util.Date;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

public class Program {
  public static void main(String[] args) throws InterruptedException {
    var left = new CountDownLatch(8);
    var analytics = RudderAnalytics.builder(System.getenv("WRITE_KEY")).setDataPlaneUrl(System.getenv("MILLRACE_URL")).callback(new Callback() {
      public void success(Message message) {
        left.countDown();
      }

      public void failure(Message message, Throwable error) {
        error.printStackTrace();
        System.exit(1);
      }
    }).build();
    analytics.enqueue(TrackMessage.builder("Product Viewed").anonymousId("a1").properties(Map.of("price", 5)));
    analytics.enqueue(IdentifyMessage.builder().userId("u1").anonymousId("a1").traits(Map.of("email", "ada@example.com")));
    analytics.enqueue(TrackMessage.builder("Order Completed").userId("u1").properties(Map.of("order_id", "o1", "revenue", 12.5, "currency", "usd")));
    analytics.enqueue(TrackMessage.builder("Tea Drunk").userId("u1").timestamp(new Date(System.currentTimeMillis() - 172_800_000L)));
    analytics.enqueue(PageMessage.builder("Home").userId("u1"));
    analytics.enqueue(ScreenMessage.builder("Start").userId("u1"));
    analytics.enqueue(GroupMessage.builder("g1").userId("u1").traits(Map.of("name", "Shop")));
    analytics.enqueue(AliasMessage.builder("old").userId("u1"));
    analytics.flush();
    left.await();
    analytics.shutdown();
    System.exit(0);
  }
}
