package io.jsupervise.json;

/** The text is not JSON, or not the JSON that was expected. */
public final class JsonException extends Exception {
    private static final long serialVersionUID = 1;

    public JsonException(String message) {
        super(message);
    }
}
