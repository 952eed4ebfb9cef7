using System.Globalization;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Archive.Who;

namespace ConntrackStream.Service.Verbs.Who;

/// <summary>An answer for people.</summary>
internal static class WhoText
{
    internal static void Write(WhoAnswer answer, WhoQuestion question, CliContext context)
    {
        TimeZoneInfo zone = context.Time.LocalTimeZone;
        ILookup<FlowLife?, FlowLife> same = answer.Flows.ToLookup(static life => life.Same);
        foreach (FlowLife life in same[null])
            Write(life, [.. same[life]], zone, context.Print);
        int connections = same[null].Count();
        string count = connections switch
        {
            0 => "No flow",
            1 => "1 flow",
            _ => string.Create(CultureInfo.InvariantCulture, $"{connections} flows"),
        };
        string port = question.Port is { } number ? string.Create(CultureInfo.InvariantCulture, $" port {number}") : "";
        string filter = question.FilterText.Length > 0 ? $" ({question.FilterText})" : "";
        context.Print($"{count} with {question.AddressText}{port}{filter} from {MomentText.Format(question.From, zone)} "
            + $"to {MomentText.Format(question.To, zone)}.");
        foreach (string note in answer.Notes)
            context.Print($"note: {note}");
        context.Print(answer.IsComplete
            ? "verdict: complete"
            : $"verdict: INCOMPLETE, {(answer.Flows.Count == 0 ? "so there may have been one" : "so there may be more")}:");
        foreach (Missing missing in answer.Missing)
            context.Print($"  {Place(missing)}{missing.Detail}");
    }

    /// <param name="others">The same connection with other ids.</param>
    private static void Write(FlowLife life, FlowLife[] others, TimeZoneInfo zone, Action<string> print)
    {
        if (others.Length > 0)
            life = SameConnection.Joined(life, others);
        FlowRoles roles = FlowRoles.Of(life.Flow);
        string source = roles.IsSourceNat ? $" as {roles.Translated}" : "";
        string destination = roles.IsDestinationNat ? $" at {roles.Reached}" : "";
        print($"{roles.Protocol} {roles.Client}{source} to {roles.Peer}{destination}");
        string precision = life is { Key.Part: not null, HasStartRecord: false } ? ", known to the second" : ""; // by its age
        print($"    start {(life.Start == 0 ? "unknown" : MomentText.Format(life.Start, zone) + precision)}");
        print($"    end   {(life.End == 0 ? "none in what was read" : MomentText.Format(life.End, zone))}");
        if (life.Flow.Has(FlowFields.OriginalCounters) && life.Flow.Has(FlowFields.ReplyCounters))
        {
            print(string.Create(
                CultureInfo.InvariantCulture,
                $"    client sent {life.Flow.OriginalBytes} bytes in {life.Flow.OriginalPackets} packets, "
                    + $"received {life.Flow.ReplyBytes} in {life.Flow.ReplyPackets}{(life.End == 0 ? " (latest record)" : "")}"));
        }

        string netns = life.Key.NetworkNamespace is { } name ? $", netns {name}" : "";
        string ids = string.Join(", also ", others.Prepend(life).Select(static one => one.Key.Id));
        print(life.Key.Part is null
            ? $"    host {life.Key.Host ?? "unknown"}{netns}, flow {ids}"
            : $"    kernel's id {life.Flow.Id}"); // the format text has no host and no flow_id
    }

    private static string Place(Missing missing) =>
        (missing.Where, missing.Host) switch
        {
            (null, _) => "",
            ({ } where, null) => $"{where}: ",
            ({ } where, { } host) => $"{where} (host {host}): ",
        };
}
