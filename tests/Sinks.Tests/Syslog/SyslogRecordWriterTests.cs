using System.Text;
using System.Text.RegularExpressions;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Syslog;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.Syslog;

public partial class SyslogRecordWriterTests
{
    private static readonly FlowChange Gap = new()
    {
        Kind = FlowChangeKind.Gap,
        Time = Time,
        Gap = new FlowGap(FlowGapReason.Overrun, 0, Time, 3, null),
    };

    [Fact]
    public void A_record_is_a_message_with_the_kind_as_MSGID_and_a_number()
    {
        SyslogRecordWriter writer = Writer(new SyslogOptions { Format = FlowLogFormat.Text });
        Assert.Equal(
            "<134>1 2026-02-03T04:05:06.789012Z gw conntrack-stream 77 start [meta sequenceId=\"1\"] "
            + "[1770091506.789012]\t    [NEW] tcp      6 src=192.0.2.1 dst=198.51.100.2 sport=40000 dport=443 "
            + "src=198.51.100.2 dst=192.0.2.1 sport=443 dport=40000\n",
            Write(writer, Started()));
        Assert.Equal(
            "<132>1 2026-02-03T04:05:06.789012Z gw conntrack-stream 77 gap [meta sequenceId=\"2\"] "
            + "# gap reason=overrun lost=3 to=2026-02-03T04:05:06.789012Z\n",
            Write(writer, Gap));
    }

    [Theory]
    [InlineData(FlowLogFormat.Json)]
    [InlineData(FlowLogFormat.Ecs)]
    [InlineData(FlowLogFormat.Text)]
    public void The_message_is_the_line_of_the_flow_log(FlowLogFormat format)
    {
        SyslogOptions options = new() { Format = format, Host = "gw" };
        IRecordWriter record = options.CreateWriter("blue", ends: null);
        SyslogRecordWriter writer = Writer(options, "blue");
        foreach (FlowChange change in FlowLog.RecordCases.Random(200).Append(Gap))
        {
            string message = Write(writer, change);
            Match header = Rfc5424().Match(message);
            Assert.True(header.Success, message);
            Assert.Equal(FlowLog.RecordCases.Write(record, change), message[header.Length..]);
        }
    }

    [Fact]
    public void Facility_severities_name_and_host_are_those_of_the_options()
    {
        SyslogOptions options = new()
        {
            Facility = SyslogFacility.Local7,
            Severity = SyslogSeverity.Debug,
            GapSeverity = SyslogSeverity.Emerg,
            AppName = "flows",
        };
        SyslogRecordWriter writer = new(options.CreateWriter(null, null), new SyslogHeader(options, "häuser", 1), 8192);
        Assert.StartsWith("<191>1 2026-02-03T04:05:06.789012Z - flows 1 start ", Write(writer, Started()), StringComparison.Ordinal);
        Assert.StartsWith("<184>1 2026-02-03T04:05:06.789012Z - flows 1 gap ", Write(writer, Gap), StringComparison.Ordinal);
    }

    [Fact]
    public void A_message_that_is_too_long_is_none_and_takes_no_number()
    {
        string line = Write(Writer(new SyslogOptions()), Started());
        SyslogRecordWriter shorter = Writer(new SyslogOptions { MaxMessageBytes = line.Length - 2 });
        Assert.Equal(0, shorter.Write(new byte[4096], Started()));
        Assert.Contains("sequenceId=\"1\"", Write(shorter, Gap), StringComparison.Ordinal);
        Assert.Equal(line, Write(Writer(new SyslogOptions { MaxMessageBytes = line.Length - 1 }), Started()));
    }

    [Fact]
    public void Every_buffer_that_is_too_short_gives_nothing()
    {
        SyslogRecordWriter writer = Writer(new SyslogOptions());
        int whole = Write(Writer(new SyslogOptions()), Started()).Length;
        for (int length = 0; length < whole; length++)
            Assert.Equal(0, writer.Write(new byte[length], Started()));
        Assert.Equal(whole, writer.Write(new byte[whole], Started()));
    }

    [Fact]
    public void No_message_allocates()
    {
        SyslogRecordWriter writer = Writer(new SyslogOptions());
        FlowChange change = Started();
        byte[] buffer = new byte[4096];
        writer.Write(buffer, change);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            writer.Write(buffer, change);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static SyslogRecordWriter Writer(SyslogOptions options, string? network = null) =>
        new(options.CreateWriter(network, ends: null), new SyslogHeader(options, "gw", 77), options.MaxMessageBytes);

    private static string Write(SyslogRecordWriter writer, in FlowChange change)
    {
        byte[] buffer = new byte[8192];
        int length = writer.Write(buffer, change);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    /// <summary>RFC 5424, 6: PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA.</summary>
    [GeneratedRegex(
        """^<\d{1,3}>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z [!-~]{1,255} [!-~]{1,48} [!-~]{1,128} [!-~]{1,32} """
        + """\[meta sequenceId="\d+"\] """,
        RegexOptions.None, 1000)]
    private static partial Regex Rfc5424();
}
