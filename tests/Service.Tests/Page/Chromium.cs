using PuppeteerSharp;

namespace ConntrackStream.Service.Tests.Page;

/// <summary>One headless Chromium for the tests of a class. Each of its tabs is of a profile of its own.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private IBrowser? _browser;

    public async ValueTask InitializeAsync() => _browser = await Puppeteer.LaunchAsync(new LaunchOptions
    {
        ExecutablePath = "/usr/bin/chromium",
        Headless = true,
        Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    });

    internal async Task<Tab> OpenAsync(Uri address, string hash = "", int width = 1280, int height = 800)
    {
        IBrowserContext context = await _browser!.CreateBrowserContextAsync();
        Tab tab = new(context, await context.NewPageAsync());
        await tab.Page.SetViewportAsync(new ViewPortOptions { Width = width, Height = height });
        await tab.Page.GoToAsync(new Uri(address, hash).ToString(), WaitUntilNavigation.DOMContentLoaded);
        return tab;
    }

    public ValueTask DisposeAsync() => _browser?.DisposeAsync() ?? ValueTask.CompletedTask;
}
