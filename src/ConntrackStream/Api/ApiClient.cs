using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Api;

/// <summary>The command line's side of the HTTP interface.</summary>
internal static class ApiClient
{
    /// <summary>Copies the live view's flows, in the format asked for, and returns how many they are.</summary>
    internal static async Task<long> ListAsync(
        string socket, string filter, OutputFormat format, Stream output, CancellationToken cancellation)
    {
        string options = $"format={(format.Json ? "ndjson" : "text")}{(format.Id ? "&id" : "")}{(format.Extended ? "&extended" : "")}"
            + $"{(format.Timestamp ? "&timestamp" : "")}{(format.KernelTimestamps ? "&ktimestamp" : "")}{(format.Labels ? "&labels" : "")}";
        using HttpClient client = Connect(socket);
        string path = $"/v1/flows?{options}&{filter}".TrimEnd('&');
        using HttpResponseMessage response = await GetAsync(client, socket, path, cancellation).ConfigureAwait(false);
        return await ShowAsync(response, output, cancellation).ConfigureAwait(false);
    }

    /// <summary>The live view's flows, line by line as NDJSON.</summary>
    internal static async Task FlowsAsync(string socket, string filter, Action<string> onLine, CancellationToken cancellation)
    {
        using HttpClient client = Connect(socket);
        using HttpResponseMessage response = await GetAsync(client, socket, $"/v1/flows?format=ndjson&{filter}".TrimEnd('&'), cancellation)
            .ConfigureAwait(false);
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false));
        try
        {
            while (await lines.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
                onLine(line);
        }
        catch (HttpIOException e)
        {
            throw new IOException($"the service on {socket} has ended its answer before it was whole; is it still running? Ask again", e);
        }
    }

    internal static async Task<long> CountAsync(string socket, string filter, CancellationToken cancellation)
    {
        using HttpClient client = Connect(socket);
        using HttpResponseMessage response = await GetAsync(
            client, socket, $"/v1/count?{filter}".TrimEnd('?'), cancellation).ConfigureAwait(false);
        using JsonDocument answer = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false));
        return answer.RootElement.GetProperty("count").GetInt64();
    }

    /// <summary>Copies an answer.</summary>
    internal static async Task CopyAsync(string socket, string path, Stream output, CancellationToken cancellation)
    {
        using HttpClient client = Connect(socket);
        using HttpResponseMessage response = await GetAsync(client, socket, path, cancellation).ConfigureAwait(false);
        await ShowAsync(response, output, cancellation).ConfigureAwait(false);
    }

    /// <summary>The service's summary of its view, as JSON.</summary>
    internal static async Task<byte[]> SummaryAsync(
        string socket, TimeSpan interval, int top, string filter, CancellationToken cancellation)
    {
        using HttpClient client = Connect(socket);
        string path = string.Create(
            CultureInfo.InvariantCulture, $"/v1/summary?interval={interval.TotalMilliseconds}ms&top={top}&{filter}").TrimEnd('&');
        using HttpResponseMessage response = await GetAsync(client, socket, path, cancellation).ConfigureAwait(false);
        return await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>The service's tombstones, line by line as NDJSON, and how many it has in all.</summary>
    internal static async Task<long> TombstonesAsync(string socket, int limit, Action<string> onLine, CancellationToken cancellation)
    {
        using HttpClient client = Connect(socket);
        string path = string.Create(CultureInfo.InvariantCulture, $"/v1/tombstones?format=ndjson&limit={limit}");
        using HttpResponseMessage response = await GetAsync(client, socket, path, cancellation).ConfigureAwait(false);
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false));
        while (await lines.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
            onLine(line);
        return response.Headers.TryGetValues(StateAnswers.TotalHeader, out IEnumerable<string>? total)
            ? long.Parse(total.First(), CultureInfo.InvariantCulture)
            : 0;
    }

    /// <summary>A line of NDJSON each interval, until the service ends.</summary>
    internal static async IAsyncEnumerable<string> RatesAsync(
        string socket, TimeSpan interval, int top, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using HttpClient client = Connect(socket);
        string path = string.Create(CultureInfo.InvariantCulture, $"/v1/rates?interval={interval.TotalMilliseconds}ms&top={top}");
        using HttpResponseMessage response = await GetAsync(client, socket, path, cancellation).ConfigureAwait(false);
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false));
        while (await lines.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
            yield return line;
    }

    /// <summary>The service's figures; null when no service answers there.</summary>
    internal static async Task<ServiceStatus?> TryStatusAsync(string socket, CancellationToken cancellation)
    {
        try
        {
            using HttpClient client = Connect(socket);
            using HttpResponseMessage response = await GetAsync(client, socket, "/v1/status", cancellation).ConfigureAwait(false);
            byte[] json = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
            return JsonSerializer.Deserialize(json, ApiJson.Default.ServiceStatus);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether the service is well, and its answer: JSON.</summary>
    /// <param name="path">Of a question about its health.</param>
    /// <exception cref="NoServiceException">None is running.</exception>
    internal static async Task<(bool IsWell, string Answer)> HealthAsync(string socket, string path, CancellationToken cancellation)
    {
        using HttpClient client = Connect(socket);
        using HttpResponseMessage response = await SendAsync(client, socket, path, cancellation).ConfigureAwait(false);
        return (response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false));
    }

    /// <returns>Lines.</returns>
    private static async Task<long> ShowAsync(HttpResponseMessage response, Stream output, CancellationToken cancellation)
    {
        Stream body = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        byte[] buffer = new byte[64 * 1024];
        AnswerBytes answer = default;
        long lines = 0;
        for (int length; (length = await ReadAsync(body, buffer, cancellation).ConfigureAwait(false)) > 0;)
        {
            answer.Clean(buffer.AsSpan(0, length));
            lines += buffer.AsSpan(0, length).Count((byte)'\n');
            await output.WriteAsync(buffer.AsMemory(0, length), cancellation).ConfigureAwait(false);
        }

        return lines;
    }

    private static async ValueTask<int> ReadAsync(Stream body, byte[] buffer, CancellationToken cancellation)
    {
        try
        {
            return await body.ReadAsync(buffer, cancellation).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new IOException(
                "the answer is not complete: the service has ended, or the output paused for longer than Api:ReadTimeout", e);
        }
    }

    private static HttpClient Connect(string path) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) =>
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation).ConfigureAwait(false);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        },
    })
    {
        BaseAddress = new Uri("http://conntrack-stream/"),
        Timeout = Timeout.InfiniteTimeSpan, // a table of any size; Ctrl-C ends it
    };

    /// <exception cref="IOException">The service refuses; with its reason.</exception>
    private static async Task<HttpResponseMessage> GetAsync(HttpClient client, string socket, string path, CancellationToken cancellation)
    {
        HttpResponseMessage response = await SendAsync(client, socket, path, cancellation).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
            return response;
        using (response)
        {
            string body = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
            throw new IOException(ReasonOf(body, response.StatusCode));
        }
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, string socket, string path, CancellationToken cancellation)
    {
        try
        {
            return await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.AccessDenied })
        {
            throw new UnauthorizedAccessException($"{socket}: not permitted; the socket is for root and its group", e);
        }
        catch (HttpRequestException e)
        {
            string reason = Path.Exists(socket) ? e.InnerException?.Message ?? e.Message : "there is no such socket";
            throw new NoServiceException($"no service answers on {socket}: {reason}; is it running, with Api:Enabled?", e);
        }
    }

    private static string ReasonOf(string body, HttpStatusCode status)
    {
        try
        {
            using JsonDocument problem = JsonDocument.Parse(body);
            return problem.RootElement.GetProperty("detail").GetString()!;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return string.Create(CultureInfo.InvariantCulture, $"the service answered with status {(int)status}");
        }
    }
}
