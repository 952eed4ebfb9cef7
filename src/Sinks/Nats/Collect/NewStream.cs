using NATS.Client.JetStream.Models;

namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>A stream with file storage, as it is to be made. What is null was not asked for.</summary>
/// <param name="MaxAge">Zero: no limit.</param>
/// <param name="MaxBytes">-1: no limit.</param>
internal sealed record NewStream(string? Name = null, int? Replicas = null, TimeSpan? MaxAge = null, long? MaxBytes = null)
{
    internal const string UsualName = "CONNTRACK";

    private const long NoLimit = -1;

    private static readonly TimeSpan DuplicateWindow = TimeSpan.FromMinutes(10);

    internal StreamConfig ToConfig(string subjects)
    {
        TimeSpan age = MaxAge ?? TimeSpan.Zero;
        return new StreamConfig(Name ?? UsualName, [subjects])
        {
            Storage = StreamConfigStorage.File,
            NumReplicas = Replicas ?? 1,
            MaxAge = age,
            MaxBytes = MaxBytes ?? NoLimit,
            DuplicateWindow = age > TimeSpan.Zero && age < DuplicateWindow ? age : DuplicateWindow,
        };
    }

    /// <summary>What a stream that exists has otherwise than asked for, and how to change that; null: nothing.</summary>
    internal (string Has, string Remedy)? Differences(StreamConfig config)
    {
        List<string> has = [], options = [];
        if (Replicas is { } replicas && replicas != config.NumReplicas)
        {
            has.Add(config.NumReplicas == 1 ? "1 replica" : Text($"{config.NumReplicas} replicas"));
            options.Add(Text($" --replicas={replicas}"));
        }

        if (MaxAge is { } age && age != config.MaxAge)
        {
            has.Add(config.MaxAge == TimeSpan.Zero ? "no maximum age" : Text($"a maximum age of {config.MaxAge:c}"));
            options.Add(Text($" --max-age={age.TotalSeconds}s"));
        }

        if (MaxBytes is { } bytes && bytes != config.MaxBytes)
        {
            has.Add(config.MaxBytes <= 0 ? "no maximum size" : Text($"a maximum size of {config.MaxBytes} bytes"));
            options.Add(Text($" --max-bytes={bytes}"));
        }

        if (Name is { } name && name != config.Name)
            has.Add($"the name {config.Name}");
        if (has.Count == 0)
            return null;
        return (
            string.Join(", ", has),
            options.Count > 0
                ? $"To change it: nats stream edit {config.Name}{string.Concat(options)}"
                : "A stream keeps its name: leave --stream out");
    }

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
