using System.Buffers;
using System.Text;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Archive;
using ConntrackStream.Sinks.Archive.Who;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Verbs.Who;

/// <summary>
/// An answer for programs: one object a line, of type flow or, last, verdict; before them, in evidence, of type question, file and record.
/// What is unknown is left out.
/// </summary>
internal sealed class WhoJson : IDisposable
{
    private readonly ArrayBufferWriter<byte> _line = new();
    private readonly Stream _output;
    private readonly Utf8JsonWriter _json;

    internal WhoJson(Stream output)
    {
        _output = output;
        _json = new Utf8JsonWriter(_line);
    }

    public void Dispose() => _json.Dispose();

    internal static void Write(WhoAnswer answer, WhoQuestion question, CliContext context)
    {
        using WhoJson json = new(context.Output);
        json.Answer(answer, question);
    }

    internal void Answer(WhoAnswer answer, WhoQuestion question)
    {
        foreach (FlowLife life in answer.Flows)
            Object("flow", () => Flow(life));
        Object("verdict", () => Verdict(answer, question));
    }

    /// <param name="now">ns since the Unix epoch.</param>
    internal void Question(WhoQuestion question, long now) => Object("question", () =>
    {
        _json.WriteString("version", ProductVersion.Number);
        _json.WriteString("host", Environment.MachineName);
        Time("time", now);
        Asked(question);
        if (question.Reach is { } reach)
            _json.WriteNumber("reach_seconds", reach / 1e9);
    });

    /// <param name="number">That its records have.</param>
    /// <param name="sha256">Of the file as it is, compressed or not, as far as it went when it was opened.</param>
    internal void File(int number, ArchiveFile file, string sha256) => Object("file", () =>
    {
        _json.WriteNumber("file", number);
        _json.WriteString("path", Path.GetFullPath(file.Path));
        _json.WriteNumber("bytes", file.Length);
        _json.WriteString("sha256", sha256);
    });

    /// <summary>A line of a file as it is.</summary>
    internal void Record(int file, ReadOnlySpan<byte> line)
    {
        Begin("record");
        _json.WriteNumber("file", file);
        _json.WriteString("line", Encoding.UTF8.GetString(line)); // of a damaged file it may be anything
        End();
    }

    private void Object(string type, Action write)
    {
        Begin(type);
        write();
        End();
    }

    private void Begin(string type)
    {
        _line.ResetWrittenCount();
        _json.Reset();
        _json.WriteStartObject();
        _json.WriteString("type", type);
    }

    private void End()
    {
        _json.WriteEndObject();
        _json.Flush();
        _line.Write("\n"u8);
        _output.Write(_line.WrittenSpan);
    }

    private void Flow(FlowLife life)
    {
        Flow flow = life.Flow;
        Text("host", life.Key.Host);
        Text("netns", life.Key.NetworkNamespace);
        if (life.Key.Part is null)
            _json.WriteString("flow_id", life.Key.Id);
        else
            _json.WriteNumber("ct_id", life.Flow.Id);
        if (life.Same is { } same)
            _json.WriteString("same_connection_as", same.Key.Id);
        _json.WriteString("family", flow.Original.IsIPv6 ? "ipv6" : "ipv4");
        if (flow.Original.Protocol.Name() is { Length: > 0 } name)
            _json.WriteString("proto", name);
        _json.WriteNumber("proto_num", (byte)flow.Original.Protocol);
        _json.WriteNumber("zone", flow.Original.Zone);
        Tuple("src", "sport", "dst", "dport", flow.Original);
        if (flow.Has(FlowFields.Reply))
        {
            Tuple("reply_src", "reply_sport", "reply_dst", "reply_dport", flow.Reply);
            _json.WriteString("nat", (flow.IsSourceNat, flow.IsDestinationNat) switch
            {
                (false, false) => "none",
                (true, false) => "snat",
                (false, true) => "dnat",
                _ => "both",
            });
        }

        FlowRoles roles = FlowRoles.Of(flow);
        _json.WriteString("client", roles.Client);
        if (roles.IsSourceNat)
            _json.WriteString("client_translated", roles.Translated);
        _json.WriteString("peer", roles.Peer);
        if (roles.IsDestinationNat)
            _json.WriteString("peer_translated", roles.Reached);
        Time("start", life.Start);
        Time("end", life.End);
        Counters("original_packets", flow.OriginalPackets, "original_bytes", flow.OriginalBytes, flow.Has(FlowFields.OriginalCounters));
        Counters("reply_packets", flow.ReplyPackets, "reply_bytes", flow.ReplyBytes, flow.Has(FlowFields.ReplyCounters));
    }

    private void Verdict(WhoAnswer answer, WhoQuestion question)
    {
        _json.WriteBoolean("complete", answer.IsComplete);
        _json.WriteNumber("flows", answer.Flows.Count);
        Asked(question);
        _json.WriteStartArray("missing");
        foreach (Missing missing in answer.Missing)
        {
            _json.WriteStartObject();
            _json.WriteString("reason", missing.Reason);
            Text("log", missing.Where);
            Text("host", missing.Host);
            if (missing.Lost is { } lost)
                _json.WriteNumber("lost", lost);
            Time("from", missing.From);
            Time("to", missing.To);
            _json.WriteString("detail", missing.Detail);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        _json.WriteStartArray("notes");
        foreach (string note in answer.Notes)
            _json.WriteStringValue(note);
        _json.WriteEndArray();
        _json.WriteNumber("files_read", answer.Files);
        _json.WriteNumber("bytes_read", answer.Bytes);
    }

    private void Asked(WhoQuestion question)
    {
        _json.WriteString("address", question.AddressText);
        if (question.Port is { } port)
            _json.WriteNumber("port", port);
        if (question.FilterText.Length > 0)
            _json.WriteString("filter", question.FilterText);
        Time("from", question.From);
        Time("to", question.To);
    }

    private void Tuple(string source, string sourcePort, string destination, string destinationPort, in FlowTuple tuple)
    {
        bool hasPorts = tuple.Protocol.HasPortsOrKeys();
        _json.WriteString(source, tuple.Source.ToIPAddress(tuple.Family).ToString());
        if (hasPorts)
            _json.WriteNumber(sourcePort, tuple.SourcePort);
        _json.WriteString(destination, tuple.Destination.ToIPAddress(tuple.Family).ToString());
        if (hasPorts)
            _json.WriteNumber(destinationPort, tuple.DestinationPort);
    }

    private void Counters(string packetsName, ulong packets, string bytesName, ulong bytes, bool areKnown)
    {
        if (!areKnown)
            return;
        _json.WriteNumber(packetsName, packets);
        _json.WriteNumber(bytesName, bytes);
    }

    private void Text(string name, string? value)
    {
        if (value is not null)
            _json.WriteString(name, value);
    }

    private void Time(string name, long time)
    {
        if (time != 0)
            _json.WriteString(name, TimestampText.Format(time));
    }
}
