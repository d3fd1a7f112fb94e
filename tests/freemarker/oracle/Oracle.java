import freemarker.core.Environment;
import freemarker.core.InvalidReferenceException;
import freemarker.core.ParseException;
import freemarker.core.StopException;
import freemarker.template.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/** Renders each JSON line {"template", "data"} of standard input with Apache FreeMarker and answers {"output"} or {"error"}. */
public class Oracle {
    private static final String READ = "<#assign line = text?eval_json>";

    public static void main(String[] args) throws Exception {
        freemarker.log.Logger.selectLoggerLibrary(freemarker.log.Logger.LIBRARY_NONE);
        Configuration settings = new Configuration(Configuration.VERSION_2_3_31);
        settings.setLocale(Locale.US);
        settings.setTimeZone(TimeZone.getTimeZone("UTC"));
        settings.setTemplateExceptionHandler(TemplateExceptionHandler.RETHROW_HANDLER);
        settings.setLogTemplateExceptions(false);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        Template reader = new Template("reader", READ, settings);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Environment env = reader.createProcessingEnvironment(Collections.singletonMap("text", line), new StringWriter());
            env.process();
            TemplateHashModel request = (TemplateHashModel) env.getVariable("line");
            out.println(answer(((TemplateScalarModel) request.get("template")).getAsString(), request.get("data"), settings));
        }
    }

    private static String answer(String source, Object data, Configuration settings) {
        StringWriter text = new StringWriter();
        try {
            new Template("case", source, settings).process(data, text);
            return "{\"output\": " + quote(text.toString()) + "}";
        } catch (ParseException e) {
            return error("parse", e);
        } catch (StopException e) {
            return error("stop", e);
        } catch (InvalidReferenceException e) {
            return error("undefined", e);
        } catch (TemplateException e) {
            return error("runtime", e);
        } catch (IOException e) {
            return error("runtime", e);
        } catch (RuntimeException | StackOverflowError e) {
            return error("runtime", e);
        }
    }

    private static String error(String kind, Throwable e) {
        return "{\"error\": " + quote(kind) + ", \"message\": " + quote(String.valueOf(e.getMessage())) + "}";
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c < ' ' || c > '~' || c == '"' || c == '\\') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
