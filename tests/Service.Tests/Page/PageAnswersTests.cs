using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.RegularExpressions;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Page;
using ConntrackStream.Service.Tests.Api;
using ConntrackStream.Sinks.Filtering;

namespace ConntrackStream.Service.Tests.Page;

/// <summary>The page's files as HTTP serves them.</summary>
public sealed partial class PageAnswersTests
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_page_and_all_it_names_are_served_with_a_strict_policy_and_kept_for_ever_but_for_the_page_itself()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        using HttpClient client = api.NewClient();
        using HttpResponseMessage page = await client.GetAsync("/", Cancellation);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal("no-cache", page.Headers.CacheControl!.ToString());
        string html = await page.Content.ReadAsStringAsync(Cancellation);
        string[] named = [.. Named().Matches(html).Select(static match => match.Groups["path"].Value)];
        Assert.Contains(named, static path => path.EndsWith("/page.js", StringComparison.Ordinal));
        foreach (string path in named)
        {
            using HttpResponseMessage file = await client.GetAsync($"/{path}", Cancellation);
            Assert.True(file.StatusCode == HttpStatusCode.OK, path);
            Assert.Equal("public, max-age=31536000, immutable", file.Headers.CacheControl!.ToString());
            AssertStrict(file);
        }

        AssertStrict(page);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("HEAD")]
    public async Task The_page_has_GET_only_as_every_path(string method)
    {
        await using LiveApi api = await LiveApi.StartAsync();
        using HttpClient client = api.NewClient();
        foreach (string path in (string[])["/", $"/page/{new PageAssets().Version}/page.js"])
        {
            using HttpRequestMessage request = new(new HttpMethod(method), path);
            using HttpResponseMessage answer = await client.SendAsync(request, Cancellation);
            Assert.Equal((HttpStatusCode.MethodNotAllowed, "GET"), (answer.StatusCode, answer.Content.Headers.Allow.Single()));
            string body = await answer.Content.ReadAsStringAsync(Cancellation);
            Assert.Equal(method != "HEAD", body.Contains("/problems/wrong-method", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Files_are_compressed_for_whom_takes_that_and_not_sent_again()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        using HttpClient client = api.NewClient();
        string path = $"/page/{new PageAssets().Version}/page.js";
        byte[] plain = await client.GetByteArrayAsync(path, Cancellation);
        using HttpResponseMessage compressed = await AskAsync(
            client, path, static headers => headers.AcceptEncoding.ParseAdd("br, gzip;q=0.5"));
        Assert.Equal("gzip", Assert.Single(compressed.Content.Headers.ContentEncoding));
        using GZipStream gzip = new(await compressed.Content.ReadAsStreamAsync(Cancellation), CompressionMode.Decompress);
        using MemoryStream whole = new();
        await gzip.CopyToAsync(whole, Cancellation);
        Assert.Equal(plain, whole.ToArray());
        using HttpResponseMessage refused = await AskAsync(client, path, static headers => headers.AcceptEncoding.ParseAdd("gzip;q=0"));
        Assert.Empty(refused.Content.Headers.ContentEncoding);
        Assert.NotEqual(compressed.Headers.ETag, refused.Headers.ETag);
        using HttpResponseMessage known = await AskAsync(client, path, headers => headers.IfNoneMatch.Add(refused.Headers.ETag!));
        Assert.Equal(HttpStatusCode.NotModified, known.StatusCode);
        Assert.Empty(await known.Content.ReadAsByteArrayAsync(Cancellation));
    }

    [Fact]
    public async Task What_is_not_of_the_page_is_an_unknown_path()
    {
        await using LiveApi api = await LiveApi.StartAsync(static (_, settings) => settings.Metrics.Listen = "127.0.0.1:0");
        string version = new PageAssets().Version;
        string[] paths = ["/page/0123456789abcdef/page.js", $"/page/{version}/", $"/page/{version}/..%2fopenapi.json", "/page/"];
        foreach (string path in paths)
            Assert.Equal("/problems/unknown-path", (await api.GetAsync(path)).Problem);
        using HttpClient client = new() { BaseAddress = api.TcpAddresses[0] };
        Assert.Equal("/problems/unknown-path", (await LiveApi.AskAsync(client, "/")).Problem); // the address for metrics
    }

    [Fact]
    public async Task The_page_needs_no_token_and_all_it_asks_for_does()
    {
        await using LiveApi api = await LiveApi.StartAsync(static (api, settings) =>
        {
            settings.Listen = ["127.0.0.1:0"];
            settings.TokenFile = api.Directory + "/token";
            File.WriteAllText(settings.TokenFile, Token);
        });
        using HttpClient client = new() { BaseAddress = api.TcpAddresses[0] };
        Assert.Equal(HttpStatusCode.OK, (await LiveApi.AskAsync(client, "/")).Status);
        Assert.Equal(HttpStatusCode.OK, (await LiveApi.AskAsync(client, $"/page/{new PageAssets().Version}/page.css")).Status);
        Assert.Equal("/problems/unauthorized", (await LiveApi.AskAsync(client, "/v1/status")).Problem);
    }

    [Fact]
    public void The_pages_own_code_puts_no_text_in_as_markup_runs_none_and_names_no_other_host()
    {
        PageAssets assets = new();
        string[] own = [.. assets.Names.Where(static name => !name.Contains('/', StringComparison.Ordinal))];
        Assert.True(own.Length > 8);
        foreach (string name in own)
        {
            string text = Encoding.UTF8.GetString(assets.Find(name)!.Plain);
            Assert.DoesNotMatch(Forbidden(), text.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void The_list_of_flows_takes_every_condition_and_knows_which_ones_the_kernel_judges()
    {
        string filter = Source("filter.js"), pages = Source("pages.js");
        Assert.All(FilterConditions.All, condition =>
        {
            string name = FilterOptions.QueryName(condition.Name);
            Assert.Contains($"'{name}'", filter, StringComparison.Ordinal);
            Assert.All(condition.OtherNames.Where(other => other != name), other => Assert.Matches($"\\b{other}'?: '{name}'", filter));
            if (condition.Letter is { } letter)
                Assert.Contains($" {letter}: '{name}'", filter, StringComparison.Ordinal);
            Assert.Equal(condition.Scope == FilterScope.Moment, pages.Contains($"'{name}'", StringComparison.Ordinal));
        });

        static string Source(string name) => Encoding.UTF8.GetString(new PageAssets().Find(name)!.Plain);
    }

    [Fact]
    public void The_chart_library_is_the_one_of_its_folder()
    {
        PageAsset library = new PageAssets().Find("uplot-1.6.32/uPlot.iife.min.js")!;
        string text = Encoding.UTF8.GetString(library.Plain);
        Assert.StartsWith("/*! https://github.com/leeoniya/uPlot (v1.6.32) */", text, StringComparison.Ordinal);
        Assert.Equal("\"19c8d4c6ad88929a\"", library.Tag); // as the npm registry has it
    }

    private static void AssertStrict(HttpResponseMessage response)
    {
        string Header(string name) => Assert.Single(response.Headers.GetValues(name));
        Assert.Equal(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
            + "form-action 'none'; frame-ancestors 'none'",
            Header("Content-Security-Policy"));
        Assert.Equal("nosniff", Header("X-Content-Type-Options"));
        Assert.Equal("no-referrer", Header("Referrer-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Opener-Policy"));
        Assert.Equal("same-origin", Header("Cross-Origin-Resource-Policy"));
    }

    private static async Task<HttpResponseMessage> AskAsync(HttpClient client, string path, Action<HttpRequestHeaders> set)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, path);
        set(request.Headers);
        return await client.SendAsync(request, Cancellation);
    }

    [GeneratedRegex("(?:src|href)=\"(?<path>page/[^\"]+)\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Named();

    [GeneratedRegex(
        """innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|https?://|\son[a-z]+="|\sstyle=|<style|<script>""",
        RegexOptions.None, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex Forbidden();
}
