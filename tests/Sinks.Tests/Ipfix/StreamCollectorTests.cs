using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Ipfix;
using ConntrackStream.Sinks.Ipfix.Transport;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Ipfix;

/// <summary>Collectors over TCP and TLS on loopback, which misbehave.</summary>
public sealed class StreamCollectorTests : IAsyncDisposable
{
    private const string Name = "collector.example";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly TestCertificates _certificates = new();
    private readonly VirtualTime _time = new();
    private readonly RecordingLogger _log = new();
    private X509Certificate2? _own; // the collector's
    private CollectorSink? _sink;

    public StreamCollectorTests() => _listener.Start();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_sink is not null)
            await _sink.DisposeAsync();
        _listener.Dispose();
        _own?.Dispose();
        _certificates.Dispose();
    }

    [Fact]
    public async Task What_comes_before_the_first_connection_is_open_is_not_lost_and_the_end_comes_in_order()
    {
        CollectorSink sink = await StartAsync("tcp");
        Task writing = WriteAsync(sink, 3).AsTask(); // the connection is not yet accepted
        using Socket peer = await _listener.AcceptSocketAsync(Cancel);
        await writing;
        DecodedMessage[] messages = await EndAsync(sink, new NetworkStream(peer, ownsSocket: true));
        Assert.Equal(3, messages.Sum(static message => message.Records.Count));
        Assert.Equal((0L, 3L, 1L), (sink.Counters.Dropped, sink.Counters.Records, sink.Counters.Connections));
        RecordExporterTests.AssertSequence(messages);
    }

    [Fact]
    public async Task After_the_collectors_restart_a_new_session_begins_with_templates_and_a_gap()
    {
        CollectorSink sink = await StartAsync("tcp");
        await WriteAsync(sink, 2);
        (await _listener.AcceptSocketAsync(Cancel)).Dispose();
        Eventually.True(() => sink.Counters.Connections == 2 && sink.Status.IsConnected); // the first attempt comes at once
        await WriteAsync(sink, 1);
        Socket second = await _listener.AcceptSocketAsync(Cancel);
        DecodedMessage[] messages = await EndAsync(sink, new NetworkStream(second, ownsSocket: true));
        Assert.Equal(0u, messages[0].Sequence);
        Assert.Equal([256, 257, 258, 259, 260], messages[0].Templates);
        Assert.Equal([260, 256], messages[0].Records.Select(static record => record.Template));
        Assert.Equal(ulong.MaxValue, messages[0].Records[0][3]); // what was sent to the first one
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("tls")]
    public async Task A_collector_that_stops_reading_holds_nothing_up(string scheme)
    {
        CollectorSink sink = await StartAsync(scheme, new IpfixOptions { Timeout = TimeSpan.FromMilliseconds(500) });
        Task<Stream> accepting = AcceptAsync(scheme);
        Task writing = WriteAsync(sink, 1).AsTask();
        await using Stream first = await accepting;
        await writing;
        Eventually.True(() => // the buffers of both sides are filled, then a call waits for half a second, and no other ever does
        {
            WriteAsync(sink, 256).AsTask().GetAwaiter().GetResult();
            return sink.Counters.Dropped > 0;
        });
        long sent = sink.Counters.Records;
        await using Stream second = await AcceptAsync(scheme);
        Eventually.True(() => sink.Status.IsConnected);
        await WriteAsync(sink, 1);
        DecodedMessage[] messages = await EndAsync(sink, second);
        List<DecodedRecord> records = messages[0].Records;
        Assert.Equal((260, ulong.MaxValue, "sink_failed"), (records[0].Template, records[0][3], records[0].Text(335)));
        Assert.Equal(sink.Counters.Dropped, (long)records[0][166]);
        Assert.Equal(sent + 2, sink.Counters.Records);
    }

    [Fact]
    public async Task TLS_shows_our_certificate_and_checks_the_collectors_by_authority_and_name()
    {
        (string certificate, string key) = _certificates.Sign("exporter.example");
        CollectorSink sink = await StartAsync(
            "tls",
            new IpfixOptions { Tls = new IpfixTlsOptions { CaFile = _certificates.CaFile, CertificateFile = certificate, KeyFile = key } });
        Task writing = WriteAsync(sink, 2).AsTask();
        await using Stream tls = await AcceptAsync("tls", asksForCertificate: true);
        await writing;
        Assert.Equal("CN=exporter.example", ((SslStream)tls).RemoteCertificate?.Subject);
        Assert.Equal(2, (await EndAsync(sink, tls)).Sum(static message => message.Records.Count));
    }

    [Fact]
    public async Task The_end_waits_for_a_collector_that_has_yet_to_read_and_sends_something()
    {
        _listener.Server.ReceiveBufferSize = 4096; // less than a batch
        CollectorSink sink = await StartAsync("tcp");
        Task writing = WriteAsync(sink, 256).AsTask();
        using Socket peer = await _listener.AcceptSocketAsync(Cancel);
        await writing;
        Task ending = sink.DisposeAsync().AsTask();
        _sink = null;
        await Eventually.TrueAsync(() => !Connections.AreOpenTo((IPEndPoint)_listener.LocalEndpoint));
        peer.Send(new byte[100]); // as session tickets of TLS: a socket that is closed answers with a reset, and forgets the rest
        await using NetworkStream stream = new(peer);
        Assert.Equal(256, (await ReadToEndAsync(stream)).Sum(static message => message.Records.Count));
        peer.Dispose();
        await ending;
    }

    [Theory]
    [InlineData("other.example", true, "RemoteCertificateNameMismatch")]
    [InlineData(Name, false, "errors in the certificate chain")]
    public async Task A_collector_with_another_name_or_authority_gets_nothing(string name, bool isOurAuthority, string reason)
    {
        using TestCertificates others = new();
        IpfixTlsOptions tls = new() { CaFile = isOurAuthority ? _certificates.CaFile : others.CaFile };
        CollectorSink sink = await StartAsync("tls", new IpfixOptions { Tls = tls }, name);
        Task writing = WriteAsync(sink, 1).AsTask();
        int received = 0;
        await Record.ExceptionAsync(async () => // when and how the refusal shows here depends on the version of TLS
        {
            await using Stream stream = await AcceptAsync("tls");
            received = (await ReadToEndAsync(stream)).Length;
        });
        Assert.Equal(0, received);
        await writing;
        Assert.Equal((0L, 1L), (sink.Counters.Records, sink.Counters.Dropped));
        Assert.Contains(reason, Assert.Single(_log.Entries, static entry => entry.Id == 3201).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_cannot_be_used_is_named()
    {
        string missing = Path.Combine(Path.GetDirectoryName(_certificates.CaFile)!, "missing.pem");
        CollectorSink sink = await StartAsync("tls", new IpfixOptions { Tls = new IpfixTlsOptions { CaFile = missing } });
        await WriteAsync(sink, 1);
        Eventually.True(() => sink.Status.State.Contains($"{missing} does not exist", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("udp")]
    [InlineData("tcp")]
    public async Task A_name_that_cannot_be_resolved_is_named_with_its_key(string scheme)
    {
        string host = $"{new string('a', 64)}.invalid"; // a label may have 63 characters, so no server is asked
        CollectorTransport transport = scheme == "udp" ? CollectorTransport.Udp : CollectorTransport.Tcp;
        CollectorConnector connector = new(
            new CollectorAddress(transport, host, 4739, host), new IpfixTlsOptions(), TimeSpan.FromSeconds(30), TimeProvider.System);
        CollectorException failure = await Assert.ThrowsAsync<CollectorException>(async () => await connector.OpenAsync(Cancel));
        Assert.StartsWith(
            $"the name {host} of Ipfix:Collectors cannot be resolved (", failure.Message, StringComparison.Ordinal);
    }

    private async Task<CollectorSink> StartAsync(string scheme, IpfixOptions? options = null, string name = Name)
    {
        string text = $"{scheme}://{_listener.LocalEndpoint}{(scheme == "tls" ? $"?name={name}" : "")}";
        Assert.True(CollectorAddress.TryParse(text, out CollectorAddress? address, out _));
        options ??= new IpfixOptions();
        if (scheme == "tls") // before the sink connects: a key takes longer than it waits
        {
            (string certificate, string key) = _certificates.Sign(Name);
            _own = X509Certificate2.CreateFromPemFile(certificate, key);
        }

        options.Tls.CaFile ??= _certificates.CaFile;
        _sink = new CollectorSink(address, options, _time, _log);
        await _sink.StartAsync(Cancel);
        return _sink;
    }

    private static async ValueTask WriteAsync(CollectorSink sink, int records)
    {
        FlowChange[] changes =
            [.. Enumerable.Repeat(FlowLogTestData.Started() with { Kind = FlowChangeKind.Ended, End = FlowLogTestData.Time }, records)];
        await sink.WriteAsync(FlowLogTestData.Batch(changes), Cancel);
        await sink.FlushAsync(Cancel);
    }

    private async Task<Stream> AcceptAsync(string scheme, bool asksForCertificate = false)
    {
        NetworkStream plain = new(await _listener.AcceptSocketAsync(Cancel), ownsSocket: true);
        if (scheme == "tcp")
            return plain;
        SslStream tls = new(plain, leaveInnerStreamOpen: false, static (_, _, _, _) => true);
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions { ServerCertificate = _own, ClientCertificateRequired = asksForCertificate }, Cancel);
        return tls;
    }

    /// <summary>Everything that came, once the sink has ended the session.</summary>
    private async Task<DecodedMessage[]> EndAsync(CollectorSink sink, Stream stream)
    {
        Task ending = sink.DisposeAsync().AsTask();
        _sink = null;
        DecodedMessage[] messages = await ReadToEndAsync(stream);
        await stream.DisposeAsync();
        await ending;
        return messages;
    }

    private static async Task<DecodedMessage[]> ReadToEndAsync(Stream stream)
    {
        using MemoryStream all = new();
        await stream.CopyToAsync(all, Cancel);
        return [.. DecodedMessage.Split(all.ToArray(), [])];
    }
}
