import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Pushes a notification or a configuration to a device, a user or an organisation, and prints the task.
 * Needs JDK 17 and nothing else:
 *
 * <pre>
 * java Push.java http://127.0.0.1:8080 APPKEY SECRET DEVICE_TOKEN
 * java Push.java http://127.0.0.1:8080 APPKEY SECRET --user USER_ID --title "Hello"
 * java Push.java http://127.0.0.1:8080 APPKEY SECRET --org ORG_ID --title "Hello" --tag alarms
 * java Push.java http://127.0.0.1:8080 APPKEY SECRET --org ORG_ID --config "cache=2&amp;submit=10"
 * java Push.java http://127.0.0.1:8080 APPKEY SECRET --stats alarms
 * </pre>
 *
 * With --hmac it signs whole requests, body and all, instead of sending a validation token.
 *
 * Exit status: 0 accepted, 1 refused or not reached, 2 wrong usage.
 */
public class Push {
    private static final String USAGE = """
            Usage: java Push.java URL APPKEY SECRET TARGET [--title TEXT | --config TEXT] [--tag TAG] [--hmac]
                   java Push.java URL APPKEY SECRET --stats TAG [--hmac]

            Pushes, waits up to five seconds for the delivery and prints the task.

              URL            the push server, for example http://127.0.0.1:8080
              APPKEY         the project that calls
              SECRET         the project's master secret
              TARGET         DEVICE_TOKEN: that device
                             --user USER_ID: all devices of this user
                             --org ORG_ID: this organisation and everything below it
              --title TEXT   what a notification shows; "Hello from Java" if left out
              --config TEXT  push this configuration instead of a notification
              --tag TAG      group it under this tag, for statistics
              --stats TAG    push nothing: print the statistics of this tag
              --hmac         sign whole requests instead of sending a validation token
            """;

    private static final Duration PATIENCE = Duration.ofSeconds(5);
    /** Attempts at one push before its caller is told. */
    private static final int ATTEMPTS = 5;
    /** Error codes: 2302, not stored for certain; 2901, whether it was stored is unknown. */
    private static final List<String> WORTH_ANOTHER_ATTEMPT = List.of("2302", "2901");

    private final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    private final String server;
    private final String appkey;
    private final String masterSecret;
    private final boolean hmacSigned;

    Push(String server, String appkey, String masterSecret, boolean hmacSigned) {
        this.server = server.replaceAll("/+$", "");
        this.appkey = appkey;
        this.masterSecret = masterSecret;
        this.hmacSigned = hmacSigned;
    }

    public static void main(String[] args) throws InterruptedException {
        if (args.length == 1 && (args[0].equals("--help") || args[0].equals("-h"))) {
            System.out.print(USAGE);
            return;
        }
        Map<String, String> options = parse(args);
        if (options == null) {
            System.err.print(USAGE);
            System.exit(2);
        }
        try {
            System.out.println(new Push(args[0], args[1], args[2], options.containsKey("--hmac")).answer(options));
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

    /** The options by their names, the device's token under "--device"; null if they make no sense. */
    private static Map<String, String> parse(String[] args) {
        List<String> known = List.of("--user", "--org", "--title", "--config", "--tag", "--stats");
        Map<String, String> options = new HashMap<>();
        for (int i = 3; i < args.length; i++) {
            if (args[i].equals("--hmac")) {
                options.put("--hmac", "");
                continue;
            }
            String name = known.contains(args[i]) ? args[i++] : "--device";
            if (i == args.length || args[i].startsWith("--") || options.put(name, args[i]) != null) {
                return null;
            }
        }
        long targets = List.of("--device", "--user", "--org").stream().filter(options::containsKey).count();
        return args.length > 3 && targets == (options.containsKey("--stats") ? 0 : 1) ? options : null;
    }

    private String answer(Map<String, String> options) throws IOException, InterruptedException, Refused {
        if (options.containsKey("--stats")) {
            return statistics(options.get("--stats"));
        }
        String target;
        if (options.containsKey("--org")) {
            target = "\"type\": \"groupcast\", \"org_id\": " + quote(options.get("--org"));
        } else if (options.containsKey("--user")) {
            target = "\"type\": \"unicast\", \"user_id\": " + quote(options.get("--user"));
        } else {
            target = "\"type\": \"unicast\", \"device_tokens\": " + quote(options.get("--device"));
        }
        String tag = options.get("--tag");
        return waitFor(options.containsKey("--config")
                ? sendConfiguration(target, options.get("--config"), tag)
                : sendNotification(target, options.getOrDefault("--title", "Hello from Java"), tag));
    }

    /** Sends a notification and returns the task's id. */
    String sendNotification(String target, String title, String tag) throws IOException, InterruptedException, Refused {
        String body = "{\"title\": %s, \"custom\": {\"from\": \"Push.java\"}}".formatted(quote(title));
        return push("/psp/push/msg", target, "\"display_type\": \"notification\", \"body\": " + body, tag);
    }

    /** Sends a configuration, which replaces the older one of the same target and tag; returns the task's id. */
    String sendConfiguration(String target, String configuration, String tag) throws IOException, InterruptedException, Refused {
        return push("/psp/push/config", target, "\"body\": " + quote(configuration), tag);
    }

    /** Returns when the server has the push on disk, and tries again where nobody knows whether it has. */
    private String push(String path, String target, String payload, String tag)
            throws IOException, InterruptedException, Refused {
        // out_biz_no is the caller's own id. All attempts are the SAME request, so that they make one task,
        // whichever of them arrived.
        String body = "{%s, \"payload\": {%s%s}, \"policy\": {\"out_biz_no\": %s}}".formatted(
                target, payload, tag == null ? "" : ", \"tag\": " + quote(tag), quote(UUID.randomUUID().toString()));
        for (int attempt = 1; ; attempt++) {
            try {
                String reply = send(request("POST", path, body).header("Content-Type", "application/json"));
                return find("\"task_id\"\\s*:\\s*\"([^\"]+)\"", reply);
            } catch (Refused refused) {
                if (attempt == ATTEMPTS || !WORTH_ANOTHER_ATTEMPT.contains(refused.code)) {
                    throw refused;
                }
            } catch (IOException error) { // Not reached, cut off, or no answer in time: like 2901.
                if (attempt == ATTEMPTS) {
                    throw error;
                }
            }
            // A pause that doubles, with some chance in it, so that all callers do not come back in the same instant.
            Thread.sleep((100L << attempt) * ThreadLocalRandom.current().nextInt(50, 100) / 100);
        }
    }

    /** The counts summed over all tasks of this app with the tag. */
    String statistics(String tag) throws IOException, InterruptedException, Refused {
        return send(request("GET", "/psp/push/stats?tag=" + URLEncoder.encode(tag, StandardCharsets.UTF_8), ""));
    }

    /** Reads the task until nothing is pending, or until patience ends: a device that is offline gets it when it connects. */
    String waitFor(String taskId) throws IOException, InterruptedException, Refused {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            String task = send(request("GET", "/psp/push/task/" + taskId, ""));
            if (find("\"pending\"\\s*:\\s*(\\d+)", task).equals("0") || System.nanoTime() > deadline) {
                return task;
            }
            Thread.sleep(200);
        }
    }

    /** A request with the headers that show who calls. */
    private HttpRequest.Builder request(String method, String path, String body) {
        String timestamp = Long.toString(System.currentTimeMillis());
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(server + path))
                .timeout(Duration.ofSeconds(10))
                .method(method, body.isEmpty()
                        ? HttpRequest.BodyPublishers.noBody()
                        : HttpRequest.BodyPublishers.ofString(body, StandardCharsets.UTF_8))
                .header("appkey", appkey)
                .header("timestamp", timestamp);
        return hmacSigned
                ? request.header("authorization", signature(method, path, timestamp, body))
                : request.header("validation-token", validationToken(appkey, masterSecret, timestamp));
    }

    /** Signs a whole request. Another nonce for each attempt: the server takes each once. */
    private String signature(String method, String target, String timestamp, String body) {
        String nonce = UUID.randomUUID().toString();
        try {
            String digest = HexFormat.of().formatHex(
                    MessageDigest.getInstance("SHA-256").digest(body.getBytes(StandardCharsets.UTF_8)));
            String text = String.join("\n", "PSP-HMAC-SHA256", appkey, method, target, timestamp, nonce, digest);
            Mac mac = Mac.getInstance("HmacSHA256");
            // The secret as it is, not lowered.
            mac.init(new SecretKeySpec(masterSecret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            String code = HexFormat.of().formatHex(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
            return "PSP-HMAC-SHA256 nonce=" + nonce + ", content-sha256=" + digest + ", signature=" + code;
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException("this JDK has no HMAC with SHA-256", error);
        }
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
            throw new Refused(
                    "HTTP " + response.statusCode() + " " + response.body(),
                    search("\"error_code\"\\s*:\\s*(\\d+)", response.body()).orElse(""));
        }
        return response.body();
    }

    /** The one value that is wanted of a reply. A program with a JSON library at hand would parse it. */
    private static String find(String pattern, String reply) throws Refused {
        return search(pattern, reply).orElseThrow(() -> new Refused("not the reply of a push server: " + reply, ""));
    }

    private static Optional<String> search(String pattern, String reply) {
        Matcher matcher = Pattern.compile(pattern).matcher(reply);
        return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
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
        /** The server's error code, or empty: something between it and us spoke. */
        final String code;

        Refused(String message, String code) {
            super(message);
            this.code = code;
        }
    }
}
