import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Locale;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Pushes one notification to one device and prints the task. Needs JDK 17 and nothing else:
 *
 * <pre>java Push.java http://127.0.0.1:8080 APPKEY SECRET DEVICE_TOKEN [TITLE]</pre>
 *
 * Exit status: 0 accepted, 1 refused or not reached, 2 wrong usage.
 */
public class Push {
    private static final String USAGE = """
            Usage: java Push.java URL APPKEY SECRET DEVICE_TOKEN [TITLE]

            Pushes one notification to one device, waits up to five seconds for its delivery and prints the task.

              URL           the push server, for example http://127.0.0.1:8080
              APPKEY        the project that calls
              SECRET        the project's master secret
              DEVICE_TOKEN  the device that is to receive it
              TITLE         what it shows; "Hello from Java" if left out
            """;

    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final String server;
    private final String appkey;
    private final String masterSecret;

    Push(String server, String appkey, String masterSecret) {
        this.server = server.replaceAll("/+$", "");
        this.appkey = appkey;
        this.masterSecret = masterSecret;
    }

    public static void main(String[] args) throws InterruptedException {
        if (args.length == 1 && (args[0].equals("--help") || args[0].equals("-h"))) {
            System.out.print(USAGE);
            return;
        }
        if (args.length < 4 || args.length > 5) {
            System.err.print(USAGE);
            System.exit(2);
        }
        Push push = new Push(args[0], args[1], args[2]);
        try {
            String taskId = push.sendNotification(args[3], args.length == 5 ? args[4] : "Hello from Java");
            System.out.println(push.waitFor(taskId));
        } catch (Refused refused) {
            System.err.println("refused: " + refused.getMessage());
            System.exit(1);
        } catch (IOException error) {
            System.err.println("cannot reach " + args[0] + ": " + error);
            System.exit(1);
        } catch (IllegalArgumentException error) {
            System.err.println("bad argument: " + error.getMessage());
            System.exit(2);
        }
    }

    /** Sends a notification and returns the task's id. The server has it on disk by then. */
    String sendNotification(String deviceToken, String title) throws IOException, InterruptedException, Refused {
        // out_biz_no is the caller's own id: sending the same request again, after a time-out, makes no second task.
        String body = """
                {"type": "unicast", "device_tokens": %s,
                 "payload": {"display_type": "notification", "body": {"title": %s, "custom": {"from": "Push.java"}}},
                 "policy": {"out_biz_no": %s}}
                """.formatted(quote(deviceToken), quote(title), quote(UUID.randomUUID().toString()));
        String reply = send(request("/psp/push/msg")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body, StandardCharsets.UTF_8)));
        return find("\"task_id\"\\s*:\\s*\"([^\"]+)\"", reply);
    }

    /** Reads the task until nothing is pending, or until patience ends: a device that is offline gets it when it connects. */
    String waitFor(String taskId) throws IOException, InterruptedException, Refused {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            String task = send(request("/psp/push/task/" + taskId).GET());
            if (find("\"pending\"\\s*:\\s*(\\d+)", task).equals("0") || System.nanoTime() > deadline) {
                return task;
            }
            Thread.sleep(200);
        }
    }

    /** A request with the three headers that every call needs. */
    private HttpRequest.Builder request(String path) {
        String timestamp = Long.toString(System.currentTimeMillis());
        return HttpRequest.newBuilder(URI.create(server + path))
                .timeout(Duration.ofSeconds(10))
                .header("appkey", appkey)
                .header("timestamp", timestamp)
                .header("validation-token", validationToken(appkey, masterSecret, timestamp));
    }

    /** Lower case for appkey and secret, then the timestamp exactly as the header has it. */
    static String validationToken(String appkey, String masterSecret, String timestamp) {
        String text = appkey.toLowerCase(Locale.ROOT) + masterSecret.toLowerCase(Locale.ROOT) + timestamp;
        try {
            byte[] digest = MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException error) {
            throw new IllegalStateException("this JDK has no MD5", error);
        }
    }

    private String send(HttpRequest.Builder request) throws IOException, InterruptedException, Refused {
        HttpResponse<String> response =
                http.send(request.build(), HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
        if (response.statusCode() / 100 != 2) {
            throw new Refused("HTTP " + response.statusCode() + " " + response.body());
        }
        return response.body();
    }

    /** The one value that is wanted of a reply. A program with a JSON library at hand would parse it. */
    private static String find(String pattern, String reply) throws Refused {
        Matcher matcher = Pattern.compile(pattern).matcher(reply);
        if (!matcher.find()) {
            throw new Refused("not the reply of a push server: " + reply);
        }
        return matcher.group(1);
    }

    /** A JSON string. */
    static String quote(String text) {
        StringBuilder json = new StringBuilder("\"");
        for (char character : text.toCharArray()) {
            if (character == '"' || character == '\\') {
                json.append('\\').append(character);
            } else if (character < ' ') {
                json.append(String.format("\\u%04x", (int) character));
            } else {
                json.append(character);
            }
        }
        return json.append('"').toString();
    }

    /** The server answered, and not with SUCCESS. */
    static class Refused extends Exception {
        Refused(String message) {
            super(message);
        }
    }
}
