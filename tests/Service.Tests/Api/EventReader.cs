using System.Text.Json;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>One server-sent event as a client reads it.</summary>
internal sealed record StreamEvent(string Name, string? Id, JsonElement Data);

/// <summary>A client of server-sent events, as https://html.spec.whatwg.org/multipage/server-sent-events.html has it.</summary>
internal sealed class EventReader : IDisposable
{
    private readonly HttpClient _client;
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;

    private EventReader(HttpClient client, HttpResponseMessage response, Stream body) =>
        (_client, _response, _lines) = (client, response, new StreamReader(body));

    /// <summary>What it would send as Last-Event-ID.</summary>
    internal string? LastId { get; private set; }

    internal List<string> Comments { get; } = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    internal static async Task<EventReader> OpenAsync(LiveApi api, string path, string? lastId = null)
    {
        HttpClient client = api.NewClient();
        using HttpRequestMessage request = new(HttpMethod.Get, path);
        if (lastId is not null)
            request.Headers.Add("Last-Event-ID", lastId);
        HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new EventReader(client, response, await response.Content.ReadAsStreamAsync(Cancellation));
    }

    /// <summary>The next event; null at the stream's end.</summary>
    internal async Task<StreamEvent?> NextAsync()
    {
        string name = "", data = "";
        while (await _lines.ReadLineAsync(Cancellation) is { } line)
        {
            string value = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].TrimStart(' ');
            if (line.StartsWith(':'))
                Comments.Add(value);
            else if (line.StartsWith("event:", StringComparison.Ordinal))
                name = value;
            else if (line.StartsWith("data:", StringComparison.Ordinal))
                data += value;
            else if (line.StartsWith("id:", StringComparison.Ordinal))
                LastId = value;
            else if (line.Length == 0 && data.Length > 0)
                return new StreamEvent(name, LastId, JsonDocument.Parse(data).RootElement);
        }

        return null;
    }

    /// <summary>The next, which there is, and of this name.</summary>
    internal async Task<JsonElement> NextAsync(string name)
    {
        StreamEvent next = (await NextAsync())!;
        Assert.Equal(name, next.Name);
        return next.Data;
    }

    public void Dispose()
    {
        _lines.Dispose();
        _response.Dispose();
        _client.Dispose();
    }
}
