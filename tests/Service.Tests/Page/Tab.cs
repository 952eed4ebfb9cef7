using System.Collections.Concurrent;
using System.Text.Json;
using Deque.AxeCore.Commons;
using PuppeteerSharp;

namespace ConntrackStream.Service.Tests.Page;

/// <summary>The page in a browser, with what the browser complained of and what it asked the service for.</summary>
internal sealed class Tab : IAsyncDisposable
{
    private static readonly Lazy<string> Axe = new(static () => new BundledAxeScriptProvider().GetScript());

    private readonly IBrowserContext _context;

    internal Tab(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, e) =>
        {
            if (e.Message.Type is ConsoleType.Error or ConsoleType.Warning)
                Complaints.Enqueue(e.Message.Text);
        };
        page.PageError += (_, e) => Complaints.Enqueue(e.Message);
        page.Request += (_, e) => Requests.Enqueue(new Uri(e.Request.Url).PathAndQuery);
    }

    internal IPage Page { get; }

    /// <summary>Errors and warnings of the console, those of the content security policy among them.</summary>
    internal ConcurrentQueue<string> Complaints { get; } = new();

    internal ConcurrentQueue<string> Requests { get; } = new();

    internal Task<T> GetAsync<T>(string expression) => Page.EvaluateExpressionAsync<T>(expression);

    internal Task<string> TextAsync(string selector) =>
        GetAsync<string>($"document.querySelector({JsonSerializer.Serialize(selector)}).innerText");

    /// <summary>Waits until an expression of the page is true.</summary>
    internal Task UntilAsync(string expression) => Eventually.TrueAsync(
        () => GetAsync<bool>($"Boolean({expression})"),
        state: () => $"{Page.EvaluateExpressionAsync<string>("document.body.innerText").GetAwaiter().GetResult()}\n"
            + string.Join('\n', Complaints),
        waitedFor: expression);

    internal Task UntilLiveAsync() =>
        UntilAsync("document.getElementById('link').dataset.state === 'live' && document.body.dataset.status");

    internal Task GoAsync(string hash) => Page.EvaluateExpressionAsync($"location.hash = {JsonSerializer.Serialize(hash)}");

    internal async Task PressAsync(params string[] keys)
    {
        foreach (string key in keys)
            await Page.Keyboard.PressAsync(key);
    }

    /// <summary>What axe-core finds of WCAG 2.2 A and AA and its best practices, one a line.</summary>
    internal async Task<string[]> InaccessibleAsync()
    {
        await Page.EvaluateExpressionAsync(Axe.Value + "; true");
        return await GetAsync<string[]>(
            "axe.run().then(found => found.violations.flatMap("
            + "rule => rule.nodes.map(node => `${rule.id}: ${node.html} ${node.failureSummary}`)))");
    }

    public async ValueTask DisposeAsync() => await _context.CloseAsync();
}
