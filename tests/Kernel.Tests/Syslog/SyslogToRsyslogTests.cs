using System.Text;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Syslog;
using ConntrackStream.Tests;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests.Syslog;

/// <summary>A real rsyslogd takes every message apart as it was meant, over each way, and again after its restart.</summary>
public sealed class SyslogToRsyslogTests : IDisposable
{
    private const long Time = 1_770_091_506_789_012_345;

    private readonly KernelNamespace _space = new(track: false);
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-rsyslog-").FullName;
    private readonly Certificates _certificates;
    private readonly RsyslogServer _server;
    private readonly (string Certificate, string Key) _client;

    public SyslogToRsyslogTests()
    {
        _certificates = new Certificates(_directory);
        _client = _certificates.Sign("gateway.test");
        _server = new RsyslogServer(
            _space, _directory, _certificates.AuthorityFile, _certificates.Sign("logs.test"), client: "gateway.test");
        _server.Start();
    }

    public void Dispose()
    {
        _certificates.Dispose();
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("unix", FlowLogFormat.Json)]
    [InlineData("unix-stream", FlowLogFormat.Ecs)]
    [InlineData("udp", FlowLogFormat.Text)]
    [InlineData("tcp", FlowLogFormat.Json)]
    [InlineData("tls", FlowLogFormat.Ecs)]
    public void Every_message_arrives_as_it_was_sent(string transport, FlowLogFormat format)
    {
        SyslogOptions options = Options(transport);
        options.Format = format;
        FlowChange[] changes = [.. Enumerable.Range(1, 200).Select(Started), Gap];
        _space.Run(() =>
        {
            Sender sender = new(options, TimeProvider.System);
            sender.Send(changes);
            sender.Dispose();
            Assert.Equal((changes.Length, 0), (sender.Sink.Counters.Records, sender.Sink.Counters.Dropped));
            return 0;
        });
        Eventually.True(() => _server.Messages.Count == changes.Length, state: () => $"{_server.Messages.Count} messages");
        IRecordWriter record = options.CreateWriter(null, null);
        byte[] line = new byte[4096];
        for (int i = 0; i < changes.Length; i++)
        {
            JsonElement message = _server.Messages[i];
            bool isGap = i == changes.Length - 1;
            Assert.Equal(isGap ? "local3.warning" : "local3.info", Text(message, "pri"));
            Assert.Equal("2026-02-03T04:05:06.789012+00:00", Text(message, "time").Replace("Z", "+00:00", StringComparison.Ordinal));
            Assert.Equal("gw", Text(message, "host"));
            Assert.Equal("flows", Text(message, "app"));
            Assert.Equal("77", Text(message, "process"));
            Assert.Equal(isGap ? "gap" : "start", Text(message, "id"));
            Assert.Equal($"[meta sequenceId=\"{i + 1}\"]", Text(message, "data"));
            Assert.Equal(Encoding.UTF8.GetString(line, 0, record.Write(line, changes[i]) - 1), Text(message, "msg"));
        }
    }

    [Theory]
    [InlineData("unix")]
    [InlineData("unix-stream")]
    [InlineData("tcp")]
    [InlineData("tls")]
    public void After_a_restart_of_the_server_records_arrive_again_and_none_is_missing_without_a_gap(string transport)
    {
        Sender? sender = null;
        _space.Run(() =>
        {
            sender = new Sender(Options(transport), TimeProvider.System);
            sender.Send(Started(1));
            return 0;
        });
        Eventually.True(() => _server.Messages.Count == 1);
        _server.Stop();
        int sent = 1;
        _space.Run(() => sender!.Send(Started(++sent)));
        _server.Start();
        Eventually.True(() =>
        {
            _space.Run(() => sender!.Send(Started(++sent)));
            return Ports().Any(static port => port > 2);
        });
        sender!.Dispose();
        long missing = 0, lost = 0;
        Eventually.True(
            () =>
            {
                missing = sent - Ports().Distinct().Count();
                lost = _server.Messages.Where(static message => Text(message, "id") == "gap")
                    .Sum(static message => JsonDocument.Parse(Text(message, "msg")).RootElement.GetProperty("lost").GetInt64());
                return missing <= lost;
            },
            state: () => $"{missing} of {sent} are missing, gaps report {lost}");
    }

    private IEnumerable<int> Ports() => _server.Messages.Where(static message => Text(message, "id") == "start")
        .Select(static message => JsonDocument.Parse(Text(message, "msg")).RootElement.GetProperty("sport").GetInt32());

    private SyslogOptions Options(string transport)
    {
        SyslogOptions options = new()
        {
            Server = transport switch
            {
                "unix" => $"unix:{_server.DatagramSocket}",
                "unix-stream" => $"unix-stream:{_server.StreamSocket}",
                "udp" => $"udp:127.0.0.1:{RsyslogServer.UdpPort}",
                "tcp" => $"tcp:127.0.0.1:{RsyslogServer.TcpPort}",
                _ => $"tls:127.0.0.1:{RsyslogServer.TlsPort}",
            },
            Facility = SyslogFacility.Local3,
            AppName = "flows",
            Host = "gw",
        };
        if (transport == "tls")
        {
            options.Tls.ServerName = "logs.test";
            options.Tls.CaFile = _certificates.AuthorityFile;
            (options.Tls.CertificateFile, options.Tls.KeyFile) = _client;
        }

        return options;
    }

    private static readonly FlowChange Gap = new()
    {
        Kind = FlowChangeKind.Gap,
        Time = Time,
        Gap = new FlowGap(FlowGapReason.Overrun, 0, Time, 3, null),
    };

    private static FlowChange Started(int port)
    {
        FlowTuple original = new()
        {
            Source = new IpAddress(0, 0x0A000001),
            Destination = new IpAddress(0, 0xC6336402),
            SourcePort = (ushort)port,
            DestinationPort = 443,
            Protocol = IpProtocol.Tcp,
            Family = FlowFamily.IPv4,
        };
        return new FlowChange
        {
            Kind = FlowChangeKind.Started,
            Time = Time,
            Id = new FlowId(0x123456789ABCDEF, (ulong)port),
            Flow = new Flow { Original = original, Present = FlowFields.Original },
        };
    }

    private static string Text(JsonElement message, string part) => message.GetProperty(part).GetString()!;

    /// <summary>The sink, driven from a thread that is in the namespace, where its sockets are made.</summary>
    private sealed class Sender : IDisposable
    {
        internal Sender(SyslogOptions options, TimeProvider time)
        {
            SyslogOutput output = new(options, time, NullLogger.Instance);
            SyslogHeader header = new(options, "gw", 77);
            RecordLog log = new(
                "syslog", options.Server, options,
                new SyslogRecordWriter(options.CreateWriter(null, null), header, options.MaxMessageBytes), () => (output, null));
            Sink = new FlowLogSink(log, time, NullLogger<FlowLogSink>.Instance, stateDirectory: null, opened: null);
            Sink.StartAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
        }

        internal FlowLogSink Sink { get; }

        internal int Send(params FlowChange[] changes)
        {
            FlowChangeBatch batch = new();
            foreach (FlowChange change in changes)
                batch.Add() = change;
            Sink.WriteAsync(batch, CancellationToken.None).AsTask().GetAwaiter().GetResult();
            Sink.FlushAsync(CancellationToken.None).AsTask().GetAwaiter().GetResult();
            return changes.Length;
        }

        public void Dispose() => Sink.DisposeAsync().AsTask().GetAwaiter().GetResult();
    }
}
