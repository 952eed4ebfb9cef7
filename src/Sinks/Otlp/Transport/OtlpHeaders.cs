using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.Otlp.Options;
using ConntrackStream.Sinks.Otlp.Wire;

namespace ConntrackStream.Sinks.Otlp.Transport;

/// <summary>Headers of requests, from options and the files that they name, which are read for each request: tokens are renewed.</summary>
internal static class OtlpHeaders
{
    /// <exception cref="UnusableFileException">A file cannot be used.</exception>
    internal static IReadOnlyList<KeyValuePair<string, string>> Read(OtlpOptions options)
    {
        List<KeyValuePair<string, string>> headers =
            [new("user-agent", $"{ResourceBytes.ScopeName}/{ResourceBytes.ProgramVersion}")];
        foreach (string line in options.Headers)
            Add(headers, line, "Otlp:Headers");
        if (options.HeadersFile is { } file)
        {
            foreach (string line in SecretFile.Content(file).Split('\n').Where(static line => line.Trim().Length > 0))
                Add(headers, line, file);
        }

        if (options.TokenFile is { } token)
            headers.Add(new("authorization", $"Bearer {SecretFile.Token(token)}"));
        return headers;
    }

    /// <summary>Once, to see whether the files can be used.</summary>
    /// <exception cref="ConfigurationException">One cannot.</exception>
    internal static void ReadAtStart(OtlpOptions options)
    {
        try
        {
            Read(options);
        }
        catch (UnusableFileException e)
        {
            throw new ConfigurationException([$"Otlp: {e.Message}"]);
        }
    }

    private static void Add(List<KeyValuePair<string, string>> headers, string line, string from)
    {
        if (!HeaderText.TryParse(line, out KeyValuePair<string, string> header, out string? error))
            throw new UnusableFileException($"{from}: a header {error}");
        headers.Add(header);
    }
}
