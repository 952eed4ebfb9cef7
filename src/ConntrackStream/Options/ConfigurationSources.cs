using System.Collections;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary>
/// Where settings come from, a later one over an earlier one: <c>--config FILE</c> (else /etc/conntrack-stream/appsettings.json, else the
/// one beside the executable; never the current directory), the environment, <c>--set</c>.
/// </summary>
internal sealed record ConfigurationSources(string? File = null, IReadOnlyList<string>? Settings = null)
{
    internal const string EnvironmentPrefix = "CONNTRACKSTREAM__";

    /// <summary>Tried in order when no file is named.</summary>
    internal IReadOnlyList<string> DefaultFiles { get; init; } =
        ["/etc/conntrack-stream/appsettings.json", Path.Combine(AppContext.BaseDirectory, "appsettings.json")];

    /// <summary>The process's environment, or another for tests.</summary>
    internal IDictionary Environment { get; init; } = System.Environment.GetEnvironmentVariables();

    /// <exception cref="ConfigurationException">The file cannot be read, or a <c>--set</c> has no value.</exception>
    internal ConfigurationValues Read()
    {
        ConfigurationValues values = new();
        string? file = File ?? DefaultFiles.FirstOrDefault(System.IO.File.Exists);
        if (file is not null)
            values.Add(JsonFile.Read(file), file);
        values.Add(FromEnvironment(), "the environment");
        foreach (string setting in Settings ?? [])
            values.Add([SplitSetting(setting)], "--set");
        return values;
    }

    private IEnumerable<KeyValuePair<string, string?>> FromEnvironment() => Environment.Cast<DictionaryEntry>()
        .Select(static entry => ((string)entry.Key, (string?)entry.Value))
        .Where(static entry => entry.Item1.StartsWith(EnvironmentPrefix, StringComparison.OrdinalIgnoreCase))
        .Select(static entry => KeyValuePair.Create(
            entry.Item1[EnvironmentPrefix.Length..].Replace("__", ":", StringComparison.Ordinal), entry.Item2));

    private static KeyValuePair<string, string?> SplitSetting(string setting)
    {
        int equals = setting.IndexOf('=', StringComparison.Ordinal);
        return equals > 0
            ? KeyValuePair.Create(setting[..equals].Trim(), (string?)setting[(equals + 1)..])
            : throw new ConfigurationException([$"--set \"{setting}\": expected Section:Key=value"]);
    }
}
