using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using System.Security.Authentication;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.Otlp.Options;
using ConntrackStream.Sinks.Otlp.Records;

namespace ConntrackStream.Sinks.Otlp.Transport;

/// <summary>
/// Sends requests of one kind to the collector, one at a time. Connections are kept, and made again after a failure, with the files as they
/// are then.
/// </summary>
/// <param name="options">How to reach it.</param>
/// <param name="signal">What is sent.</param>
/// <param name="time">Of time-outs.</param>
internal sealed class OtlpClient(OtlpOptions options, OtlpSignal signal, TimeProvider time) : IDisposable
{
    private const int MostAnswerBytes = 64 * 1024;

    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(5); // then the name is looked up again

    private readonly Uri _uri = signal.At(options);
    private readonly MemoryStream _compressed = new();
    private readonly byte[] _answer = new byte[MostAnswerBytes];
    private HttpMessageInvoker? _http;
    private volatile bool _isStale;

    private bool IsGrpc => options.Protocol == OtlpProtocol.Grpc;

    public void Dispose() => _http?.Dispose();

    /// <summary>The next request has a new connection. From any thread.</summary>
    internal void Renew() => _isStale = true;

    /// <summary>Makes a request ready to be sent, several times if need be, until the next one is.</summary>
    /// <param name="message">With <see cref="RequestBuffer.FrameBytes"/> of room before it.</param>
    internal ReadOnlyMemory<byte> Prepare(Memory<byte> message)
    {
        if (options.Compression == OtlpCompression.Gzip)
            message = Compress(message);
        if (!IsGrpc)
            return message[RequestBuffer.FrameBytes..];
        message.Span[0] = options.Compression == OtlpCompression.Gzip ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(message.Span[1..], message.Length - RequestBuffer.FrameBytes);
        return message;
    }

    /// <exception cref="OperationCanceledException">By <paramref name="stop"/>.</exception>
    internal async ValueTask<ExportResult> SendAsync(ReadOnlyMemory<byte> prepared, CancellationToken stop)
    {
        using CancellationTokenSource limit = new(options.Timeout, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            return await ExchangeAsync(prepared, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            _isStale = true;
            return ExportResult.Retry($"no answer within {options.Timeout.TotalSeconds} s");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or AuthenticationException)
        {
            _isStale = true;
            return ExportResult.Retry(Describe(e));
        }
    }

    private async ValueTask<ExportResult> ExchangeAsync(ReadOnlyMemory<byte> prepared, CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = Request(prepared);
        using HttpResponseMessage response = await Http().SendAsync(request, cancellationToken).ConfigureAwait(false);
        ReadOnlyMemory<byte> answer = await ReadAsync(response, cancellationToken).ConfigureAwait(false);
        return IsGrpc
            ? GrpcAnswer.Read(response, answer.Span)
            : HttpAnswer.Read(response, answer.Span, time.GetUtcNow());
    }

    private HttpRequestMessage Request(ReadOnlyMemory<byte> prepared)
    {
        ReadOnlyMemoryContent content = new(prepared);
        HttpRequestMessage request = new(HttpMethod.Post, _uri)
        {
            Content = content,
            Version = IsGrpc ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = IsGrpc ? HttpVersionPolicy.RequestVersionExact : HttpVersionPolicy.RequestVersionOrLower,
        };
        content.Headers.TryAddWithoutValidation("Content-Type", IsGrpc ? "application/grpc" : "application/x-protobuf");
        if (IsGrpc)
            request.Headers.TryAddWithoutValidation("TE", "trailers");
        if (options.Compression == OtlpCompression.Gzip && IsGrpc)
            request.Headers.TryAddWithoutValidation("grpc-encoding", "gzip");
        else if (options.Compression == OtlpCompression.Gzip)
            content.Headers.ContentEncoding.Add("gzip");
        foreach ((string name, string value) in OtlpHeaders.Read(options))
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    private async ValueTask<ReadOnlyMemory<byte>> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using (stream.ConfigureAwait(false))
        {
            int length = await stream.ReadAtLeastAsync(_answer, _answer.Length, throwOnEndOfStream: false, cancellationToken)
                .ConfigureAwait(false);
            return _answer.AsMemory(0, length);
        }
    }

    private HttpMessageInvoker Http()
    {
        if (_isStale)
        {
            _http?.Dispose();
            _http = null;
            _isStale = false;
        }

        return _http ??= new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // a token is for the collector that is configured
            UseCookies = false,
            ConnectTimeout = options.Timeout,
            PooledConnectionLifetime = ConnectionLifetime,
            SslOptions = TlsFiles.Load(serverName: null, options.Tls.CaFile, options.Tls.CertificateFile, options.Tls.KeyFile),
        });
    }

    private Memory<byte> Compress(Memory<byte> message)
    {
        _compressed.SetLength(0);
        _compressed.Write(message.Span[..RequestBuffer.FrameBytes]);
        using (GZipStream gzip = new(_compressed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(message.Span[RequestBuffer.FrameBytes..]);
        return _compressed.GetBuffer().AsMemory(0, (int)_compressed.Length);
    }

    /// <summary>The innermost reason is what says something.</summary>
    private static string Describe(Exception e)
    {
        Exception inner = e.GetBaseException();
        return e is UnusableFileException || ReferenceEquals(inner, e) ? e.Message : $"{e.Message.TrimEnd('.')} ({inner.Message})";
    }
}
