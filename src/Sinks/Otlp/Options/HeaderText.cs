using System.Diagnostics.CodeAnalysis;

namespace ConntrackStream.Sinks.Otlp.Options;

/// <summary>A header as the configuration has it.</summary>
internal static class HeaderText
{
    // what this program sends itself
    private static readonly string[] Ours =
    [
        "content-type", "content-length", "content-encoding", "host", "te", "transfer-encoding", "connection", "grpc-encoding",
    ];

    /// <summary>Reads <c>Name: value</c>.</summary>
    /// <param name="error">Completes "Otlp:Headers: …"; it does not repeat the value.</param>
    internal static bool TryParse(string line, out KeyValuePair<string, string> header, [NotNullWhen(false)] out string? error)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        (string name, string value) = colon < 0 ? ("", "") : (line[..colon].Trim(), line[(colon + 1)..].Trim());
        header = new(name, value);
        error = name.Length == 0 || !name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.')
            ? "must be as in \"X-Scope-OrgID: tenant\""
            : value.Any(static c => c is < ' ' or > '~')
                ? $"{name} must have printable ASCII characters only"
                : Ours.Contains(name, StringComparer.OrdinalIgnoreCase)
                    ? $"{name} is set by the service"
                    : null;
        return error is null;
    }
}
