using System.Buffers;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>
/// The findings for scripts: one object a line; type is cycle, delete_hit or, last, summary. What is unknown is left out. Units are in the
/// names.
/// </summary>
internal sealed class NpaJsonReport : IDisposable
{
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Stream _output;
    private readonly Utf8JsonWriter _json;

    private NpaJsonReport(Stream output)
    {
        _output = output;
        _json = new Utf8JsonWriter(_line);
    }

    public void Dispose() => _json.Dispose();

    internal static void Write(Stream output, NpaFindings findings)
    {
        using NpaJsonReport report = new(output);
        foreach (NpaCycle cycle in findings.Log.Cycles)
            report.Object("cycle", json => Cycle(json, cycle));
        foreach (NpaDelete delete in findings.Hits)
            report.Object("delete_hit", json => Hit(json, delete));
        report.Object("summary", json => Summary(json, findings));
    }

    /// <summary>One cycle, as it is over.</summary>
    internal static void WriteCycle(Stream output, NpaCycle cycle)
    {
        using NpaJsonReport report = new(output);
        report.Object("cycle", json => Cycle(json, cycle));
    }

    /// <summary>The end of what was followed: the cycles have been written.</summary>
    internal static void WriteEnd(Stream output, NpaFindings findings)
    {
        using NpaJsonReport report = new(output);
        report.Object("summary", json => Summary(json, findings));
    }

    private static void Cycle(Utf8JsonWriter json, NpaCycle cycle)
    {
        Time(json, "start", cycle.Start);
        Time(json, "end", cycle.End);
        Number(json, "duration_ms", cycle.Duration / 1_000_000);
        json.WriteString("kind", NpaTextReport.Name(cycle.Kind));
        json.WriteNumber("deletes", cycle.Deletes);
        json.WriteNumber("deletes_logged", cycle.LoggedDeletes);
        Number(json, "tracked", cycle.Tracked);
    }

    private static void Hit(Utf8JsonWriter json, NpaDelete delete)
    {
        Time(json, "time", delete.Time?.From);
        json.WriteString("verdict", delete.Verdict == Verdict.Alive ? "alive" : "possibly");
        NpaKey key = delete.Key!; // without one it is unknown
        Tuple(json, key.Tuple, hasPorts: !key.Tuple.IsIcmp);
        if (key.OwnerText is { } owner)
            json.WriteString("owner", owner);
        Number(json, "ifindex", key.Ifindex);
        json.WriteStartObject("flow");
        if (delete.Flow is { } flow)
            Tuple(json, flow, hasPorts: !flow.IsIcmp);
        Time(json, "start", delete.FlowStart);
        Time(json, "end", delete.FlowEnd);
        json.WriteEndObject();
    }

    private static void Summary(Utf8JsonWriter json, NpaFindings findings)
    {
        NpaLogReader log = findings.Log;
        json.WriteNumber("lines", log.Lines);
        json.WriteNumber("cleanup_lines", log.CleanupLines);
        json.WriteNumber("malformed_lines", log.Malformed);
        json.WriteNumber("other_lines", log.Unrelated + log.Mentions);
        json.WriteNumber("cycles", log.Cycles.Count);
        json.WriteNumber("deletes", findings.Deletes);
        json.WriteNumber("deletes_not_logged", findings.DeletesNotLogged);
        if (findings.DeletesPerCycle is { } deletes)
            Spread(json, "deletes_per_cycle", deletes, 1);
        CycleSchedule schedule = findings.Schedule;
        if (schedule.Interval is { } interval)
            Spread(json, "interval_ms", interval, 1_000_000);
        else
            json.WriteNumber("assumed_interval_ms", schedule.Assumed / 1_000_000);
        Time(json, "next", schedule.Next);
        if (schedule.NextKind is { } kind)
            json.WriteString("next_kind", NpaTextReport.Name(kind));
        if (findings.FlowRecords is not { } records)
            return;
        json.WriteNumber("flow_records", records);
        json.WriteNumber("alive", findings.Count(Verdict.Alive));
        json.WriteNumber("possibly", findings.Count(Verdict.Possibly));
        json.WriteNumber("not_alive", findings.Count(Verdict.Dead));
        json.WriteNumber("unknown", findings.Count(Verdict.Unknown));
        if (findings.Advice is { } advice)
            json.WriteString("advice", advice);
    }

    private static void Tuple(Utf8JsonWriter json, in FlowTuple tuple, bool hasPorts)
    {
        json.WriteNumber("proto_num", (byte)tuple.Protocol);
        json.WriteString("src", tuple.Source.ToIPAddress(tuple.Family).ToString());
        if (hasPorts)
            json.WriteNumber("sport", tuple.SourcePort);
        json.WriteString("dst", tuple.Destination.ToIPAddress(tuple.Family).ToString());
        if (hasPorts)
            json.WriteNumber("dport", tuple.DestinationPort);
    }

    private static void Spread(Utf8JsonWriter json, string name, Spread spread, long unit)
    {
        json.WriteStartObject(name);
        json.WriteNumber("median", spread.Median / unit);
        json.WriteNumber("min", spread.Least / unit);
        json.WriteNumber("max", spread.Greatest / unit);
        json.WriteNumber("count", spread.Count);
        json.WriteEndObject();
    }

    private static void Time(Utf8JsonWriter json, string name, long? time)
    {
        if (time is { } known)
            json.WriteString(name, TimestampText.Format(known));
    }

    private static void Number(Utf8JsonWriter json, string name, long? number)
    {
        if (number is { } known)
            json.WriteNumber(name, known);
    }

    private void Object(string type, Action<Utf8JsonWriter> write)
    {
        _json.WriteStartObject();
        _json.WriteString("type", type);
        write(_json);
        _json.WriteEndObject();
        _json.Flush();
        _line.Write("\n"u8);
        _output.Write(_line.WrittenSpan);
        _line.ResetWrittenCount();
        _json.Reset();
    }
}
