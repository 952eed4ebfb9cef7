using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Conntrack.Syntax;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Conntrack.Runs;

/// <summary>Expectations in the form that <c>-o</c> asks for. They are few: each is written at once.</summary>
internal sealed class ExpectLines(Stream output, OutputTypes types, TimeProvider time)
{
    private readonly byte[] _line = new byte[ConntrackText.MaxLineBytes];
    private readonly MemoryStream _gathered = new();

    internal long Count { get; private set; }

    private bool IsXml => types.HasFlag(OutputTypes.Xml);

    internal void Write(FlowEventType type, Expectation expectation)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (IsXml && Count == 0)
            _gathered.Write(ExpectationText.XmlHead);
        if (types.HasFlag(OutputTypes.Timestamp) && !IsXml)
            _gathered.Write(Encoding.ASCII.GetBytes(Stamp(now)));
        long? when = types.HasFlag(OutputTypes.Timestamp) ? (now - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick : null;
        int length = IsXml ? ExpectationText.WriteXml(_line, type, expectation, when) : ExpectationText.Write(_line, type, expectation);
        _gathered.Write(_line.AsSpan(0, length));
        _gathered.WriteByte((byte)'\n');
        Count++;
        if (_gathered.Length > _line.Length)
            Flush();
    }

    internal void EndFrame()
    {
        if (IsXml && Count > 0)
            _gathered.Write(ExpectationText.XmlFoot);
    }

    internal void Flush()
    {
        output.Write(_gathered.GetBuffer().AsSpan(0, (int)_gathered.Length));
        _gathered.SetLength(0);
    }

    /// <summary><c>[%-8ld.%-6ld]</c> and a tab.</summary>
    private static string Stamp(DateTimeOffset now) => string.Create(
        CultureInfo.InvariantCulture, $"[{now.ToUnixTimeSeconds(),-8}.{now.Ticks % TimeSpan.TicksPerSecond / 10,-6}]\t");
}
