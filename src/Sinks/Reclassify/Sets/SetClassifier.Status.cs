using System.Globalization;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Reading;

namespace ConntrackStream.Sinks.Reclassify.Sets;

public sealed partial class SetClassifier
{
    /// <summary>Each rule and its set, in order; from any thread.</summary>
    public IReadOnlyList<SetStatus> Sets
    {
        get
        {
            lock (_mirror.Gate)
                return [.. _entries.Select(StatusOf)];
        }
    }

    /// <inheritdoc/>
    public ClassifierStatus Status
    {
        get
        {
            IReadOnlyList<(SetSource Source, SetStatus Status)> sets;
            lock (_mirror.Gate)
                sets = [.. _entries.Select(entry => (entry.Source, StatusOf(entry))).DistinctBy(set => (set.Source, set.Item2.State))];
            if (_reader?.Fault is { } fault)
                return new ClassifierStatus(Name, IsWorking: false, $"{Describe(sets)}; not kept up with any longer: {fault}");
            return new ClassifierStatus(Name, sets.All(set => set.Status.State == SetState.Ready), Describe(sets));
        }
    }

    private static string Describe(IReadOnlyList<(SetSource Source, SetStatus Status)> sets)
    {
        List<SetStatus> ready = [.. sets.Select(set => set.Status).Where(set => set.State == SetState.Ready)];
        long members = ready.Sum(set => (long)set.Members);
        List<string> parts =
        [
            string.Create(
                CultureInfo.InvariantCulture,
                $"{ready.Count} {(ready.Count == 1 ? "set" : "sets")}, {members:N0} {(members == 1 ? "member" : "members")}"),
        ];
        string waiting = string.Join(", ", sets.Where(set => set.Status.State == SetState.Waiting).Select(set => set.Source.Reason));
        if (waiting.Length > 0)
            parts.Add($"waiting for {waiting}");
        foreach ((SetSource source, SetStatus status) in sets)
        {
            if (status.State == SetState.CannotMatch)
                parts.Add($"{source.Reason} cannot match: {status.Problem}");
            else if (status.State == SetState.Failed)
                parts.Add(status.Problem!);
        }

        return string.Join("; ", parts);
    }

    private static SetStatus StatusOf(Entry entry)
    {
        SetSource source = entry.Source;
        SetContent? content = source.Content;
        SetState state = source.State;
        string? problem = source.Problem;
        if (state == SetState.Ready && content is not null && !entry.Rule.Directions.Cover(content.Dimensions))
        {
            state = SetState.CannotMatch;
            problem = string.Create(CultureInfo.InvariantCulture,
                $"the rule gives {entry.Rule.Directions.Count} of the {content.Dimensions} directions that {content.Type} needs");
        }

        return new SetStatus(
            entry.Rule.ToString(),
            source.Type,
            content?.Count ?? 0,
            state,
            source.LastReadTook,
            problem);
    }
}
