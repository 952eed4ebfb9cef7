using System.Text.Json;
using System.Text.Json.Serialization;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Output;

/// <summary>What became of a nominated key, as <c>map audit -o json</c> tells it.</summary>
internal sealed record MapOutcomeRecord : MapKeyRecord
{
    /// <summary>
    /// deleted, would_delete, restored, healed, restore_failed, kept_started, kept_alive, kept_in_use, kept_untracked, kept_held or
    /// already_gone.
    /// </summary>
    [JsonPropertyOrder(-9)]
    public required string Outcome { get; init; }

    /// <summary>Why it was kept or put back.</summary>
    public string? Why { get; init; }

    /// <summary>ended or missed_twice.</summary>
    public required string Reason { get; init; }

    /// <summary>Why it was nominated, in words.</summary>
    public required string Evidence { get; init; }

    internal static MapOutcomeRecord Of(in MapOutcome outcome) => new MapOutcomeRecord
    {
        Outcome = RecordText.Name(outcome.Outcome),
        Why = outcome.Reason,
        Reason = RecordText.Name(outcome.Tombstone.Reason),
        Evidence = outcome.Evidence,
    }.WithKey<MapOutcomeRecord>(outcome.Tombstone.Key);

    internal string ToJson() => JsonSerializer.Serialize(this, MapJson.Default.MapOutcomeRecord);

    /// <summary>One line for people.</summary>
    internal string ToText() => Why is null
        ? $"{Word()} {KeyText()}: {Evidence}"
        : $"{Word()} {KeyText()}: {Why}; {(Outcome == "kept_held" ? "" : "nominated as ")}{Evidence}";

    private string Word() => Outcome switch
    {
        "would_delete" => "would delete",
        "restore_failed" => "not restored",
        "already_gone" => "gone",
        _ when Outcome.StartsWith("kept", StringComparison.Ordinal) => "kept",
        _ => Outcome,
    };
}
