using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ConntrackStream.Sinks.Syslog;
using ConntrackStream.Sinks.Tests.FlowLog;
using ConntrackStream.Tests;

namespace ConntrackStream.Sinks.Tests.Syslog;

public sealed class SyslogOutputTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_record_is_a_datagram_of_UDP()
    {
        using Socket server = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await using SyslogRig rig = await SyslogRig.StartAsync(Options($"udp:127.0.0.1:{((IPEndPoint)server.LocalEndPoint!).Port}"));
        await rig.SendAsync(1, 2, 3);
        Assert.Equal(["1", "2", "3"], await ReceiveAsync(server, 3), StringComparer.Ordinal);
        Assert.Equal(3, rig.Counters.Records);
    }

    [Fact]
    public async Task A_record_is_a_datagram_of_a_Unix_socket_whose_reader_may_be_slow()
    {
        using Socket server = Bound(_directory.File("log"));
        await using SyslogRig rig = await SyslogRig.StartAsync(Options($"unix:{_directory.File("log")}"), TimeProvider.System);
        Task sending = Task.Run(() => rig.SendAsync([.. Enumerable.Range(1, 2000)]), SyslogRig.Token); // more than the kernel queues
        Assert.Equal(
            Enumerable.Range(1, 2000).Select(static port => $"{port}"), await ReceiveAsync(server, 2000), StringComparer.Ordinal);
        await sending;
        Assert.Equal((2000, 0), (rig.Counters.Records, rig.Counters.Dropped));
    }

    [Fact]
    public async Task Records_that_a_datagram_server_refuses_are_lost_and_a_gap_reports_them()
    {
        string path = _directory.File("log");
        Socket first = Bound(path);
        await using SyslogRig rig = await SyslogRig.StartAsync(Options($"unix:{path}"));
        await rig.SendAsync(1, 2);
        first.Dispose(); // with both unread
        File.Delete(path);
        await rig.SendAsync(3);
        using Socket second = Bound(path);
        await rig.SendAsync(4);
        rig.Time.Advance(TimeSpan.FromSeconds(1));
        await rig.SendAsync();
        Assert.Equal(["3", "4", "gap:2"], (await ReceiveAsync(second, 3)).Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal(2, rig.Counters.Dropped);
        Assert.Contains(3033, rig.Logger.Ids);
    }

    [Fact]
    public async Task A_stream_has_the_length_before_each_message()
    {
        using SyslogListener server = new();
        await using SyslogRig rig = await SyslogRig.StartAsync(Options($"tcp:localhost:{server.Port}"));
        Task<Stream> accepting = server.AcceptAsync();
        await rig.SendAsync(1, 2);
        await using Stream stream = await accepting;
        Assert.StartsWith("<134>1 2026-02-03T04:05:06.789012Z gw ", await SyslogListener.ReadAsync(stream), StringComparison.Ordinal);
        Assert.Equal(["2"], await SyslogListener.ReadAsync(stream, 1), StringComparer.Ordinal);
        Assert.True(rig.Output.IsConnected);
    }

    [Fact]
    public async Task A_Unix_stream_has_the_length_too()
    {
        using SyslogListener server = new(_directory.File("stream"));
        await using SyslogRig rig = await SyslogRig.StartAsync(Options($"unix-stream:{_directory.File("stream")}"));
        await rig.SendAsync(1, 2);
        await using Stream stream = await server.AcceptAsync();
        Assert.Equal(["1", "2"], await SyslogListener.ReadAsync(stream, 2), StringComparer.Ordinal);
    }

    [Fact]
    public async Task What_an_absent_server_missed_is_sent_as_far_as_it_was_kept_and_the_rest_is_a_gap()
    {
        int port;
        using (SyslogListener closed = new())
            port = closed.Port;
        await using SyslogRig rig = await SyslogRig.StartAsync(Options($"tcp:127.0.0.1:{port}"));
        await rig.SendAsync([.. Enumerable.Range(1, 1000)]);
        long dropped = rig.Counters.Dropped;
        Assert.InRange(dropped, 1, 999);
        Assert.Equal(0, rig.Counters.Records);
        Assert.NotNull(rig.Output.Problem);
        Assert.Contains(3031, rig.Logger.Ids);
        using SyslogListener server = new(port);
        rig.Time.Advance(TimeSpan.FromSeconds(40)); // longer than any delay: the timer tries
        await using Stream stream = await server.AcceptAsync();
        string[] subjects = await SyslogListener.ReadAsync(stream, (int)(1000 - dropped) + 1);
        Assert.Equal(
            [.. Enumerable.Range(1, (int)(1000 - dropped)).Select(static n => $"{n}"), $"gap:{dropped}"], subjects, StringComparer.Ordinal);
    }

    [Fact]
    public async Task Attempts_have_growing_delays()
    {
        int port;
        using (SyslogListener closed = new())
            port = closed.Port;
        await using SyslogRig rig = await SyslogRig.StartAsync(Options($"tcp:127.0.0.1:{port}"));
        for (int second = 0; second < 300; second++)
        {
            await rig.SendAsync(1);
            rig.Time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(rig.Output.Counters.Failures, 10, 20); // after 0, 1, 2, 4, 8, 16, 30, 30 … s, a quarter more or less
    }

    [Fact]
    public async Task A_connection_that_breaks_loses_at_most_what_was_sent_since_the_last_look_and_a_gap_reports_it()
    {
        using SyslogListener server = new();
        await using SyslogRig rig = await SyslogRig.StartAsync(Options($"tcp:127.0.0.1:{server.Port}"));
        await rig.SendAsync(1);
        await using (Stream first = await server.AcceptAsync())
        {
            Assert.Equal(["1"], await SyslogListener.ReadAsync(first, 1), StringComparer.Ordinal);
            Eventually.True(() => rig.Output.IsSettled);
            rig.Time.Advance(TimeSpan.FromSeconds(1)); // the look: 1 has arrived
            await rig.SendAsync(2, 3);
            server.Reset();
            Eventually.True(() => !rig.Output.IsConnected); // before the next look: TCP has acknowledged 2 and 3
        }

        Task<Stream> accepting = server.AcceptAsync();
        await Eventually.TrueAsync(async () =>
        {
            rig.Time.Advance(TimeSpan.FromSeconds(1));
            await rig.SendAsync(4);
            return accepting.IsCompleted;
        });
        await using Stream second = await accepting;
        List<string> subjects = [];
        while (subjects.All(static subject => !subject.StartsWith("gap:", StringComparison.Ordinal)))
            subjects.AddRange(await SyslogListener.ReadAsync(second, 1));
        Assert.InRange(int.Parse(subjects[^1]["gap:".Length..], System.Globalization.CultureInfo.InvariantCulture), 2, 10);
        Assert.DoesNotContain("1", subjects, StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_server_that_closes_in_order_costs_nothing()
    {
        using SyslogListener server = new();
        await using SyslogRig rig = await SyslogRig.StartAsync(Options($"tcp:127.0.0.1:{server.Port}"));
        await rig.SendAsync(1);
        await using (Stream first = await server.AcceptAsync())
            Assert.Equal(["1"], await SyslogListener.ReadAsync(first, 1), StringComparer.Ordinal);
        Eventually.True(() => !rig.Output.IsConnected);
        await rig.SendAsync(2);
        await using Stream second = await server.AcceptAsync();
        Assert.Equal(["2"], await SyslogListener.ReadAsync(second, 1), StringComparer.Ordinal);
        Assert.Equal(0, rig.Counters.Dropped);
        Assert.DoesNotContain(3033, rig.Logger.Ids);
    }

    [Fact]
    public async Task A_reload_connects_anew_without_a_loss()
    {
        using SyslogListener server = new();
        await using SyslogRig rig = await SyslogRig.StartAsync(Options($"tcp:127.0.0.1:{server.Port}"));
        await rig.SendAsync(1);
        await using Stream first = await server.AcceptAsync();
        Assert.Equal(["1"], await SyslogListener.ReadAsync(first, 1), StringComparer.Ordinal);
        Eventually.True(() => rig.Output.IsSettled);
        rig.Output.RequestRenewal();
        await rig.SendAsync(2);
        await using Stream second = await server.AcceptAsync();
        Assert.Equal(["2"], await SyslogListener.ReadAsync(second, 1), StringComparer.Ordinal);
        Assert.Equal((2, 0), (rig.Output.Counters.Connections, rig.Counters.Dropped));
    }

    [Fact]
    public async Task A_reader_that_stands_still_holds_up_no_write_longer_than_the_timeout()
    {
        using SyslogListener server = new();
        SyslogOptions options = Options($"tcp:127.0.0.1:{server.Port}");
        options.Timeout = TimeSpan.FromMilliseconds(200);
        await using SyslogRig rig = await SyslogRig.StartAsync(options, TimeProvider.System);
        await rig.SendAsync(1);
        await using Stream stream = await server.AcceptAsync(); // and nothing is read
        await Eventually.TrueAsync(async () =>
        {
            await rig.SendAsync([.. Enumerable.Range(1, 200)]);
            return rig.Output.Counters.Failures > 0;
        });
        Assert.Contains(3032, rig.Logger.Ids);
    }

    [Theory]
    [InlineData("127.0.0.1", null, true)]
    [InlineData("logs.test", "logs.test", true)]
    [InlineData("logs.test", null, false)] // the name is that of Server, an address
    [InlineData("logs.test", "other.test", false)]
    [InlineData("127.0.0.1", "127.0.0.2", false)]
    public async Task The_certificate_must_be_the_server_s_own(string certified, string? expected, bool connects)
    {
        using Certificates certificates = new(_directory.Path);
        using X509Certificate2 own = Load(certificates.Sign(certified));
        (string certificate, string key) = certificates.Sign("gateway.test");
        using SyslogListener server = new(certificate: own);
        SyslogOptions options = Options($"tls:127.0.0.1:{server.Port}");
        options.Tls.CaFile = certificates.AuthorityFile;
        options.Tls.ServerName = expected;
        (options.Tls.CertificateFile, options.Tls.KeyFile) = (certificate, key);
        await using SyslogRig rig = await SyslogRig.StartAsync(options, TimeProvider.System);
        Task<Stream> accepting = server.AcceptAsync();
        await rig.SendAsync(1);
        Assert.Equal(connects, rig.Output.IsConnected);
        if (!connects)
        {
            Assert.Contains("certificate", rig.Output.Problem, StringComparison.OrdinalIgnoreCase);
            return;
        }

        await using Stream stream = await accepting;
        Assert.Equal(["1"], await SyslogListener.ReadAsync(stream, 1), StringComparer.Ordinal);
        Assert.Equal("CN=gateway.test", server.Client?.Subject);
    }

    [Fact]
    public async Task The_end_waits_for_a_server_that_has_yet_to_read_and_sends_something()
    {
        using SyslogListener server = new() { ReceiveBufferSize = 4096 };
        SyslogRig rig = await SyslogRig.StartAsync(Options($"tcp:127.0.0.1:{server.Port}"), TimeProvider.System);
        Task<Stream> accepting = server.AcceptAsync();
        int[] ports = [.. Enumerable.Range(1, 100)];
        await rig.SendAsync(ports);
        await using Stream stream = await accepting;
        Task ending = Task.Run(async () => await rig.DisposeAsync(), SyslogRig.Token);
        await Eventually.TrueAsync(() => !Connections.AreOpenTo(server.Address));
        stream.Write(new byte[100]); // as session tickets of TLS: a socket that is closed answers with a reset, and forgets the rest
        string[] received = await SyslogListener.ReadAsync(stream, ports.Length);
        Assert.Equal(ports, received.Select(static port => int.Parse(port, CultureInfo.InvariantCulture)));
        await stream.DisposeAsync();
        await ending;
    }

    [Fact]
    public async Task An_authority_that_is_not_trusted_may_sign_nothing()
    {
        using Certificates certificates = new(_directory.Path);
        using X509Certificate2 own = Load(certificates.Sign("127.0.0.1"));
        using SyslogListener server = new(certificate: own);
        SyslogOptions options = Options($"tls:127.0.0.1:{server.Port}"); // the machine's authorities
        await using SyslogRig rig = await SyslogRig.StartAsync(options, TimeProvider.System);
        _ = server.AcceptAsync();
        await rig.SendAsync(1);
        Assert.False(rig.Output.IsConnected);
        Assert.Equal(0, rig.Counters.Records);
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_named()
    {
        using SyslogListener server = new();
        SyslogOptions options = Options($"tls:127.0.0.1:{server.Port}");
        options.Tls.CaFile = "/no/such/ca.pem";
        await using SyslogRig rig = await SyslogRig.StartAsync(options);
        await rig.SendAsync(1);
        Assert.Contains("/no/such/ca.pem", rig.Output.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("unix")]
    [InlineData("unix-stream")]
    public async Task A_Unix_socket_that_is_not_there_is_named(string scheme)
    {
        string path = _directory.File("none");
        await using SyslogRig rig = await SyslogRig.StartAsync(Options($"{scheme}:{path}"));
        await rig.SendAsync(1);
        Assert.Equal($"ENOENT: there is no socket {path}; start the program that listens on it", rig.Output.Problem);
    }

    private static SyslogOptions Options(string server) => new() { Server = server, Timeout = TimeSpan.FromSeconds(2) };

    private static Socket Bound(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    private static X509Certificate2 Load((string Certificate, string Key) files)
    {
        using X509Certificate2 pem = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    private static async Task<string[]> ReceiveAsync(Socket server, int count)
    {
        string[] subjects = new string[count];
        byte[] buffer = new byte[8192];
        for (int i = 0; i < count; i++)
        {
            int length = await server.ReceiveAsync(buffer, SyslogRig.Token);
            subjects[i] = SyslogRig.Subject(Encoding.UTF8.GetString(buffer, 0, length));
        }

        return subjects;
    }
}
