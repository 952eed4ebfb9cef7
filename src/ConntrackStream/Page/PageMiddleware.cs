using ConntrackStream.Service.Api.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace ConntrackStream.Service.Page;

/// <summary>
/// Serves the page at <c>/</c>, and its files. They hold nothing that is secret, so no token is needed: the page asks for it, and sends it
/// with each request for data. Before the first request nothing is read or compressed.
/// </summary>
internal sealed class PageMiddleware
{
    // Nothing but the page's own files: no code or style within the page, no other host, in no frame.
    internal const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'";

    private const string Folder = "/page/";
    private const string ForEver = "public, max-age=31536000, immutable";

    private readonly Lazy<PageAssets> _assets = new(static () => new PageAssets());

    internal Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Features.Get<Listener>() is { Kind: ListenerKind.Metrics }
            || Find(context.Request.Path.Value ?? "") is not var (asset, caching))
            return next(context);
        if (HttpMethods.IsGet(context.Request.Method))
            return AnswerAsync(context, asset, caching);
        context.Response.Headers.Allow = HttpMethods.Get;
        context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed; // the body comes with that of every error
        return Task.CompletedTask;
    }

    private (PageAsset Asset, string Caching)? Find(string path)
    {
        if (path == "/")
            return (_assets.Value.Find(PageAssets.Index)!, "no-cache");
        if (!path.StartsWith(Folder, StringComparison.Ordinal))
            return null;
        string start = $"{Folder}{_assets.Value.Version}/";
        return path.StartsWith(start, StringComparison.Ordinal) && _assets.Value.Find(path[start.Length..]) is { } asset
            ? (asset, ForEver)
            : null;
    }

    private static Task AnswerAsync(HttpContext context, PageAsset asset, string caching)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = caching;
        headers.Vary = HeaderNames.AcceptEncoding;
        bool isGzip = AllowsGzip(context.Request);
        string tag = isGzip ? $"{asset.Tag[..^1]}-gzip\"" : asset.Tag;
        headers.ETag = tag;
        context.Response.ContentType = asset.ContentType;
        if (context.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Tag == "*" || known.Tag == tag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        byte[] content = isGzip ? asset.Gzip : asset.Plain;
        if (isGzip)
            headers.ContentEncoding = "gzip";
        context.Response.ContentLength = content.Length;
        return context.Response.Body.WriteAsync(content, context.RequestAborted).AsTask();
    }

    private static bool AllowsGzip(HttpRequest request) =>
        request.GetTypedHeaders().AcceptEncoding.Any(static one => one.Value == "gzip" && one.Quality is null or > 0);
}
