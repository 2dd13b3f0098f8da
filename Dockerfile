# exemplard in a container: docker build -t exemplard . && docker run --rm -p 9199:9199 exemplard

FROM node:24-slim AS build
WORKDIR /exemplard
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY src ./src
RUN npm run build
# What is left is what runs.
RUN npm prune --omit=dev --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /exemplard
COPY --from=build /exemplard/node_modules ./node_modules
COPY --from=build /exemplard/dist ./dist
COPY package.json LICENSE ./
COPY proto ./proto
# To be replaced by your own: docker run -v ./exemplard.yaml:/etc/exemplard/exemplard.yaml:ro …
COPY config.example.yaml /etc/exemplard/exemplard.yaml

# For --storage.path=/data, whether or not a volume is mounted there.
RUN mkdir /data && chown 1000:1000 /data
VOLUME /data

# By number, so that Kubernetes can tell that it is not root (runAsNonRoot).
USER 1000:1000
EXPOSE 9199
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9199/-/healthy').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]

# Arguments of `docker run` replace CMD alone: the address stays, and another --web.listen-address comes on top.
ENTRYPOINT ["node", "/exemplard/dist/main.js", "--web.listen-address=0.0.0.0:9199"]
CMD ["--config.file=/etc/exemplard/exemplard.yaml"]
