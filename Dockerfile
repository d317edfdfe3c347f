# The image: Node.js, the production dependencies and src/, which Node runs as it is. Any command can
# be given: `docker run IMAGE plan`. It writes to /data alone, so that the root can be read-only.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --no-audit --no-fund
COPY src src
RUN chmod 0755 src/main.ts

FROM node:24-bookworm-slim
ENV NODE_ENV=production \
    SNAPHOOK_STORE=sqlite:/data/snaphook.db \
    SNAPHOOK_OPS_LISTEN=0.0.0.0:9090
# The link is for commands in a running container: `docker exec CONTAINER snaphook status`.
RUN install -d -o 1000 -g 1000 -m 0700 /data && ln -s /app/src/main.ts /usr/local/bin/snaphook
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/package.json /app/
COPY --from=build /app/src /app/src
# Where relative paths lead to the volume too, such as that of the demo's own store.
WORKDIR /
VOLUME /data
# The user `node` by number: only so can an orchestrator tell that it is not root.
USER 1000:1000
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.SNAPHOOK_OPS_LISTEN.split(':').at(-1)}/healthz`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "--max-semi-space-size=16", "/app/src/main.ts"]
